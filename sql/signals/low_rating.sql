-- low_rating: the user rated the answer below the middle of the scale
-- about: user
-- prior: fires on 15% of failures, 1% of the rest
select
    trace_id,
    1 - min(value) as strength,
    'user rated it ' || round(min(value), 2) || ' of 1' as evidence
from feedback
where kind = 'rating' and value < 0.5
group by trace_id
