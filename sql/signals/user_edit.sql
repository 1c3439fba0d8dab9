-- user_edit: somebody replaced the answer; the further the edit from the answer, the stronger
-- about: answer
select
    traces.trace_id,
    least(
        1, levenshtein(lower(left(feedback.text, 2000)), lower(left(traces.output, 2000)))
        / greatest(length(left(feedback.text, 2000)), length(left(traces.output, 2000)), 1)
    ) as strength,
    'answer was edited to: ' || left(feedback.text, 80) as evidence
from feedback
inner join traces on feedback.trace_id = traces.trace_id
where feedback.kind in ('edit', 'demonstration') and lower(trim(feedback.text)) != lower(trim(traces.output))
