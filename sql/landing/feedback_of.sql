-- feedback_of: what records say about calls, one row per thing said, in the words of raw_feedback
with
said as (
    select
        place,
        source_file,
        source_line,
        trace_id is null and problem is null as is_alone,
        -- what a refused record, or the context around calls, says is about what it names, not about itself
        if(problem is null, trace_id, null) as own_trace_id,
        coalesce(trace_id, response_id, conversation_id) as own_name,
        started_at,
        -- one thing said may come without a list around it
        unnest(from_json(
            if(json_type(feedback) = 'OBJECT', '[' || feedback || ']', feedback),
            '[{
                "kind": "VARCHAR", "name": "VARCHAR", "value": "VARCHAR", "text": "VARCHAR",
                "user": "VARCHAR", "occurred_at": "VARCHAR", "target": "VARCHAR"
            }]'
        )) as item
    from parsed_records
    where
        json_type(feedback) in ('ARRAY', 'OBJECT')
        -- what a refused record says of itself stays with it in quarantine
        and (problem is null or problem = 'not_a_call')
),

understood as (
    select
        *,
        lower(trim(item.kind)) as given_kind,
        case
            when given_kind in ('thumb', 'thumbs', 'thumbs_up', 'like', 'thumbs_down', 'dislike') then 'thumb'
            when given_kind in ('correction', 'demonstration') then 'demonstration'
            when given_kind in ('reward', 'outcome') then 'outcome'
            when given_kind in ('score', 'metric', 'guardrail', 'evaluator', 'evaluation') then 'evaluation'
            when given_kind in ('regenerate', 'regeneration') then 'regenerate'
            when given_kind in ('escalation', 'escalate') then 'escalation'
            when given_kind in ('rating', 'edit', 'comment') then given_kind
        end as known_kind,
        nullif(trim(item.value), '') as given_value,
        coalesce(
            try_cast(given_value as double),
            case
                when lower(given_value) in ('true', 'yes', 'up', 'thumbs_up', 'positive', 'pass', 'passed') then 1
                when lower(given_value) in ('false', 'no', 'down', 'thumbs_down', 'negative', 'fail', 'failed') then 0
                when given_kind in ('thumbs_up', 'like') then 1
                when given_kind in ('thumbs_down', 'dislike') then 0
            end
        ) as spoken_number,
        if(isfinite(spoken_number), spoken_number, null) as number,
        try_cast(item.occurred_at as double) as epoch,
        coalesce(
            try_cast(item.occurred_at as timestamptz),
            to_timestamp(case when abs(epoch) <= 1e11 then epoch when abs(epoch) <= 1e14 then epoch / 1000 end)
        ) as spoken_at,
        -- what calls are refused for: a clock that is ahead, or was never set
        timestamptz '2000-01-01 00:00:00+00' as earliest,
        $now::timestamptz + interval 1 day as latest
    from said
    -- a number alone says nothing
    where coalesce(item.kind, item.name, item.text) is not null
),

weighed as (
    select
        *,
        -- a kind that nobody knows is a score of that name where it has a number, else a comment of that name
        coalesce(
            known_kind,
            if(number is null and coalesce(item.text, given_value) is not null, 'comment', 'evaluation')
        ) as kind,
        case kind
            when 'thumb' then if(number > 0, 1, if(number is null, null, -1))
            when 'rating' then if(number between 0 and 1, number, null)
            when 'outcome' then if(number between 0 and 1, number, null)
            when 'evaluation' then if(number between 0 and 1, number, null)
            else number
        end as value
    from understood
)

select
    place,
    is_alone,
    own_trace_id,
    -- null: about the call in the same record
    if(item.target is null and own_trace_id is not null, null, coalesce(item.target, own_name, '')) as target,
    kind,
    coalesce(nullif(item.name, ''), if(known_kind is null, nullif(given_kind, ''), null)) as name,
    value::double as value,
    -- a value that is no number, or on a scale nobody named, is kept in words
    coalesce(item.text, if(value is null, given_value, null)) as text,
    item.user as actor,
    item.occurred_at as told_at,
    case
        when spoken_at between earliest and latest then spoken_at
        when started_at between earliest and latest then started_at
    end as occurred_at,
    started_at,
    source_file,
    source_line
from weighed
