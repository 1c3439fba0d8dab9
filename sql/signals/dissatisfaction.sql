-- dissatisfaction: what the user said next complains about the answer
-- about: user
-- prior: fires on 20% of failures, 2% of the rest
with
-- a call of its own blames the call before
later_calls as (
    select
        conversation_id,
        turn - 1 as turn,
        query as said
    from traces
    where turn > 1
),

-- a whole run in one trace: what was said after the first answer blames the run. Without tool calls the last message
-- is what this very call answers, so it blames a call that the log does not have.
runs as (
    select
        trace_id,
        list_filter(
            from_json(input, '[{"role": "VARCHAR", "content": "VARCHAR"}]'), lambda message: message.role = 'user'
        ) as messages,
        tool_calls is not null as is_run
    from traces
    where turn = 1 and regexp_matches(input::varchar, '"role":\s*"user".*"role":\s*"user"')
),

reactions as (
    select
        earlier.trace_id,
        later_calls.said
    from later_calls
    inner join traces as earlier
        on later_calls.conversation_id = earlier.conversation_id and later_calls.turn = earlier.turn
    union all
    select
        trace_id,
        unnest(messages[2:if(is_run, len(messages), len(messages) - 1)]).content as said
    from runs
)

select
    trace_id,
    0.7 as strength,
    'user said: ' || left(max(said), 100) as evidence
from reactions
where
    regexp_matches(
        lower(left(said, 400)),
        '\b(that|this|it)( is|.s| was) (not (right|correct|true|what|helpful|working|good)|wrong'
        || '|incorrect|useless|nonsense)'
        || '|\bnot what i (asked|want\w*|need\w*|meant?|said)\b|^(no[,.!]* )?(wrong|incorrect)\b|\bwrong answer\b'
        || '|\b(that|this|it) (did(n.t| not)|does(n.t| not)) (help|work|answer|make (any )?sense)\b'
        || '|\byou(.re| are) (wrong|mistaken|not (listening|helping|understanding|answering))\b'
        || '|\byou (misunderstood|keep \w+ing|did(n.t| not) (answer|understand|read|listen))\b'
        || '|\bi (already|just) (told|said|asked|gave)\b|\bas i (said|told)\b|^no,? i (meant?|asked|said|want)\b'
        || '|\bstill (wrong|not (right|correct|working|what)|does(n.t| not))\b'
        -- that something is frustrating is often said of the user's own situation
        || '|\b(useless|ridiculous|unacceptable|waste of (my )?time)\b'
    )
group by trace_id
