-- escalation: the user asked for a person, or was handed to one
-- about: user
-- prior: fires on 10% of failures, 3% of the rest
with
asked as (
    select
        conversation_id,
        turn - 1 as turn,
        query as said
    from traces
    where turn > 1
),

runs as (
    select
        trace_id,
        list_filter(
            from_json(input, '[{"role": "VARCHAR", "content": "VARCHAR"}]'), lambda message: message.role = 'user'
        ) as messages
    from traces
    where turn = 1 and tool_calls is not null
),

said as (
    select
        earlier.trace_id,
        asked.said
    from asked
    inner join traces as earlier on asked.conversation_id = earlier.conversation_id and asked.turn = earlier.turn
    union all
    select
        trace_id,
        unnest(messages[2:]).content as said
    from runs
),

named as (
    select
        trace_id,
        task,
        regexp_extract(
            tool_calls::varchar, '"name":\s*"([^"]{0,40}(?:human|escalat|live_agent|supervisor)[^"]{0,40})"', 1
        ) as handed_over_with
    from traces
    where tool_calls is not null
),

-- where every tenth run is handed over, that is how the product works and often right
shared as (
    select
        *,
        avg((handed_over_with != '')::int) over (partition by task) as handed_over_share
    from named
),

handed_over as (
    select * from shared
    where handed_over_with != ''
)

select
    trace_id,
    0.7 as strength,
    'user asked for a person: ' || left(max(said), 80) as evidence
from said
where
    regexp_matches(
        lower(left(said, 400)),
        '\b(speak|talk|chat|connect\w*|transfer\w*|put me through|(get me|want|need) (an?|the|your)) (\w+ ){0,4}'
        || '(human|person|representative|manager|supervisor|real agent|live agent|human agent|someone (else|real))\b'
        || '|^\W*(human|agent|representative|operator|real person)\W*$'
    )
    and not regexp_matches(
        lower(left(said, 400)),
        '(n.t|\bnot|\bwithout|\brather than|\binstead of)( \w+){0,4} (speak|talk|transfer|human|person)'
    )
group by trace_id
union all
select
    trace_id,
    0.8 as strength,
    'escalated to a person' || coalesce(': ' || left(text, 80), '') as evidence
from feedback
where kind = 'escalation' and coalesce(value, 1) > 0
union all
select
    trace_id,
    0.5 as strength,
    'handed over with ' || handed_over_with as evidence
from handed_over
where handed_over_share < 0.1
