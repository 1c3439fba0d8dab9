-- rephrase: within three calls of the conversation the user asked nearly the same again
select
    earlier.trace_id,
    jaccard(lower(earlier.query), lower(later.query)) as strength,
    'user asked again: ' || left(later.query, 80) as evidence
from traces as earlier
inner join traces as later
    on
        earlier.conversation_id = later.conversation_id
        and later.turn between earlier.turn + 1 and earlier.turn + 3
        and later.started_at - earlier.started_at < interval 30 minute
where jaro_winkler_similarity(lower(earlier.query), lower(later.query)) > 0.7
