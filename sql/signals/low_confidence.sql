-- low_confidence: the model gave its own answer less than an even chance
-- about: answer
-- applies: confidence is not null and length(output) < 200
-- prior: fires on 40% of failures, 8% of the rest
select
    trace_id,
    1 - confidence as strength,
    'model was unsure: probability ' || round(confidence, 2) as evidence
from traces
-- the probability of a long text is small whatever it says
where confidence < 0.5 and length(output) < 200
