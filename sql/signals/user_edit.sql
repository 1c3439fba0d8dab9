-- user_edit: somebody replaced the answer; the further the edit from the answer, the stronger
-- about: answer
-- prior: fires on 10% of failures, 0.5% of the rest
with
edits as (
    select
        feedback.trace_id,
        feedback.text as edit,
        lower(trim(left(feedback.text, 4000))) as edited,
        lower(trim(left(coalesce(traces.output, ''), 4000))) as answered
    from feedback
    inner join traces on feedback.trace_id = traces.trace_id
    where
        feedback.kind in ('edit', 'demonstration')
        and feedback.text is not null
        and lower(trim(feedback.text)) is distinct from lower(trim(traces.output))
),

-- letters where the texts are short; the distance of long ones would cost their lengths multiplied, so words there
measured as (
    select
        *,
        list_distinct(string_split_regex(edited, '\s+')) as edited_words,
        list_distinct(string_split_regex(answered, '\s+')) as answered_words
    from edits
)

select
    trace_id,
    case
        when length(edited) <= 300 and length(answered) <= 300
            then levenshtein(edited, answered) / greatest(length(edited), length(answered), 1)
        else 1 - 2 * len(list_intersect(edited_words, answered_words)) / (len(edited_words) + len(answered_words))
    end as strength,
    'answer was edited to: ' || left(edit, 80) as evidence
from measured
