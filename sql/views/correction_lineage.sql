-- correction_lineage: every correction back to the log line it came from
select
    corrections.correction_id,
    corrections.day,
    corrections.query,
    corrections.rejected,
    corrections.chosen,
    corrections.author_kind,
    corrections.author_id,
    answers.prompt_hash,
    answers.cost_usd,
    failures.signals,
    failures.p_failure,
    corrections.mode_id,
    traces.trace_id,
    traces.model,
    traces.started_at,
    traces.source_file,
    traces.source_line
from corrections
inner join answers on corrections.answer_id = answers.answer_id
left join hard_examples on corrections.example_id = hard_examples.example_id
left join traces on hard_examples.trace_id = traces.trace_id and hard_examples.day = traces.day
left join failures on hard_examples.trace_id = failures.trace_id and hard_examples.day = failures.day
