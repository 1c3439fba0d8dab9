-- low_confidence: the model gave its own answer less than an even chance, and less than it usually does
-- about: answer
-- applies: confidence is not null and length(output) < 200
-- prior: fires on 40% of failures, 8% of the rest
with
-- the probability of a long text is small whatever it says
measured as (
    select
        trace_id,
        confidence,
        quantile_cont(confidence, 0.25) over (partition by task, model) as lower_quarter
    from traces
    where confidence is not null and length(output) < 200
)

select
    trace_id,
    1 - confidence as strength,
    'model was unsure: probability ' || round(confidence, 2) as evidence
from measured
-- a model that is never sure tells nothing by not being sure
where confidence < 0.5 and confidence <= lower_quarter
