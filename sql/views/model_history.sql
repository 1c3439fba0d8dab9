-- model_history: what happened to each model, what both models scored, and until when it was in production
with
compared as (
    select
        candidate_model,
        production_model,
        count(*) filter (where set_name = 'heldout') as heldout_count,
        avg(production_right::int) filter (where set_name = 'heldout') as heldout_production_accuracy,
        avg(candidate_right::int) filter (where set_name = 'heldout') as heldout_candidate_accuracy,
        count(*) filter (where set_name = 'traffic') as traffic_count
    from evaluations
    group by all
),

promotions as (
    select
        event_id,
        lead(happened_at) over (order by happened_at, day) as replaced_at
    from models
    where status = 'promoted'
),

-- the accuracies and the interval of an event are of audited traffic, its p-value is of held-out failures
history as (
    select
        models.day,
        models.happened_at,
        models.model_id,
        models.base_model,
        models.dataset,
        models.version,
        models.status,
        models.reason,
        models.compared_with,
        coalesce(compared.heldout_count, 0) as heldout_count,
        compared.heldout_production_accuracy,
        compared.heldout_candidate_accuracy,
        models.p_value as heldout_p_value,
        coalesce(compared.traffic_count, 0) as traffic_count,
        models.production_accuracy as traffic_production_accuracy,
        models.candidate_accuracy as traffic_candidate_accuracy,
        models.difference_low as traffic_difference_low,
        models.difference_high as traffic_difference_high,
        promotions.replaced_at,
        models.status = 'promoted' and promotions.replaced_at is null as is_production
    from models
    left join compared
        on models.model_id = compared.candidate_model and models.compared_with = compared.production_model
    left join promotions on models.event_id = promotions.event_id
)

select * from history
