-- rephrase: within three calls of the conversation the user asked nearly the same again
-- about: user
-- prior: fires on 25% of failures, 2% of the rest
with
asked as (
    select
        trace_id,
        conversation_id,
        turn,
        started_at,
        hash(input) as said_hash,
        input is null as has_no_input,
        left(lower(query), 300) as query
    from traces
),

again as (
    select
        *,
        turn - unnest([1, 2, 3]) as earlier_turn
    from asked
    where turn > 1
)

select
    earlier.trace_id,
    max(jaccard(earlier.query, again.query)) as strength,
    'user asked again: ' || left(max(again.query), 80) as evidence
from again
inner join asked as earlier
    on again.conversation_id = earlier.conversation_id and again.earlier_turn = earlier.turn
where
    again.started_at - earlier.started_at < interval 30 minute
    and length(earlier.query) >= 8
    -- the very same input is a regeneration
    and (again.said_hash != earlier.said_hash or again.has_no_input)
    and jaro_winkler_similarity(earlier.query, again.query) > 0.7
group by earlier.trace_id
