-- language_mismatch: the answer is in another script than the question
-- about: answer
-- applies: length(query) >= 10 and length(output) >= 20
-- prior: fires on 2% of failures, 0.1% of the rest
with
-- scripts tell Russian from English and not French from English; that is cheap and hardly ever wrong
lettered as (
    select
        trace_id,
        query,
        output,
        length(regexp_replace(left(query, 400), '[^\p{Latin}]', '', 'g')) as asked_latin,
        length(regexp_replace(left(query, 400), '[^\p{L}]', '', 'g')) as asked_letters,
        length(regexp_replace(left(output, 400), '[^\p{Latin}]', '', 'g')) as said_latin,
        length(regexp_replace(left(output, 400), '[^\p{L}]', '', 'g')) as said_letters
    from traces
    where
        requested_schema is null
        and (regexp_matches(query, '[^\x00-\x{024F}]') or regexp_matches(left(output, 400), '[^\x00-\x{024F}]'))
)

select
    trace_id,
    0.7 as strength,
    'answer is in another script than the question: ' || left(output, 60) as evidence
from lettered
where
    asked_letters >= 10 and said_letters >= 20
    and (
        (asked_latin < 0.3 * asked_letters and said_latin > 0.9 * said_letters)
        or (asked_latin > 0.9 * asked_letters and said_latin < 0.3 * said_letters)
    )
    -- whoever asks for a translation gets one; a label or code in English is no answer in English
    and not regexp_matches(
        lower(query),
        'translat|english|chinese|japanese|korean|russian|arabic|hindi|hebrew|greek|thai|ukrainian|перев|англ|翻译|英'
        || '|영어'
    )
