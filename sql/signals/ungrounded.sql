-- ungrounded: what the answer says is not in the documents that were retrieved for it
-- about: answer
-- applies: documents is not null and length(output) >= 20
-- prior: fires on 30% of failures, 5% of the rest
with
texts as (
    select
        trace_id,
        lower(left(output, 4000)) as said,
        lower(left(array_to_string(documents ->> '$[*].content', ' '), 100000) || ' ' || coalesce(query, '')) as given
    from traces
    where json_array_length(documents) > 0 and length(output) >= 20
),

-- words by their first six letters, which forgives endings
taken as (
    select
        trace_id,
        list_distinct(list_transform(regexp_extract_all(said, '\p{L}{5,}'), lambda word: left(word, 6))) as words,
        list_distinct(list_transform(regexp_extract_all(given, '\p{L}{5,}'), lambda word: left(word, 6)))
            as given_words,
        list_distinct(regexp_extract_all(replace(said, ',', ''), '[0-9]+(?:\.[0-9]+)?')) as numbers,
        list_distinct(regexp_extract_all(replace(given, ',', ''), '[0-9]+(?:\.[0-9]+)?')) as given_numbers
    from texts
    -- that the documents do not say is a grounded answer
    where
        not regexp_matches(
            said,
            '(do|does|did)(n.t| not) (contain|mention|provide|include|specify|say|know|have)'
            || '|not (mentioned|provided|found|available|specified|included|stated|in the)'
            || '|no (information|mention)|cannot (find|answer|determine)'
        )
),

measured as (
    select
        *,
        len(words) as word_count,
        len(words) - len(list_intersect(words, given_words)) as new_word_count,
        len(numbers) - len(list_intersect(numbers, given_numbers)) as new_number_count
    from taken
)

select
    trace_id,
    greatest(new_word_count / greatest(word_count, 1), new_number_count / greatest(len(numbers), 1)) as strength,
    'not in the documents: ' || new_word_count || ' of ' || word_count || ' words, ' || new_number_count || ' of '
    || len(numbers) || ' numbers' as evidence
from measured
where
    (word_count >= 5 and new_word_count > 0.6 * word_count)
    or (new_number_count >= 0.5 * len(numbers) and new_number_count > 0)
