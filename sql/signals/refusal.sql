-- refusal: the model declined to answer
-- about: answer
select
    trace_id,
    0.9 as strength,
    'model refused: ' || left(output, 80) as evidence
from traces
where
    regexp_matches(
        lower(output),
        '^((i.m |i am )?sorry|i apologi[sz]e)?[,. ]*(but )?i( can.?not| can.t|( am|.m) (unable|not able)| won.t)\b'
    )
    or regexp_matches(lower(output), '^i do not know\b|^as an ai\b')
