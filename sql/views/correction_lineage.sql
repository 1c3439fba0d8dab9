-- correction_lineage: every correction back to the log line it came from
with
mode_names as (
    select
        mode_id,
        arg_min(name, day) as mode_name
    from failure_modes
    group by mode_id
),

lineage as (
    select
        corrections.correction_id,
        corrections.day,
        corrections.task,
        corrections.query,
        corrections.rejected,
        corrections.chosen,
        corrections.author_kind,
        corrections.author_id,
        corrections.family,
        corrections.agreement,
        corrections.answer_id,
        answers.answered_at,
        answers.batch_id,
        answers.prompt_hash,
        answers.cost_usd,
        corrections.example_id,
        hard_examples.purpose,
        hard_examples.hardness,
        routes.route,
        routes.reason as route_reason,
        failures.signals,
        failures.p_failure,
        corrections.mode_id,
        mode_names.mode_name,
        traces.trace_id,
        traces.model,
        traces.started_at,
        traces.source_file,
        traces.source_line
    from corrections
    left join answers on corrections.answer_id = answers.answer_id
    left join hard_examples on corrections.example_id = hard_examples.example_id
    left join routes on corrections.example_id = routes.example_id
    left join traces on hard_examples.trace_id = traces.trace_id and hard_examples.day = traces.day
    left join failures on hard_examples.trace_id = failures.trace_id and hard_examples.day = failures.day
    left join mode_names on corrections.mode_id = mode_names.mode_id
)

select * from lineage
