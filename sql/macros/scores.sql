-- scores: which way a score points

-- how good a call is by a score of 0 to 1: the score, or what it lacks to 1 where its name says that more is worse, as
-- in `toxicity`, `hallucination_rate` or `prompt injection score`; `no_toxicity` and `toxicity_guardrail` tell of
-- passing, so more is better
create or replace macro memory.main.goodness(name, value) as (
    case
        when
            regexp_matches(
                lower(coalesce(name, '')),
                '(^|[^a-z])(toxicity|hallucinations?|bias|harm|harmfulness|profanity|hate|violence|pii|leak|leakage'
                || '|injection|jailbreak|misuse|refusals?|errors?)([^a-z]+(score|rate|level|probability|risk))?$'
            )
            and not regexp_matches(
                lower(name), '(^|[^a-z])(no|not|non|without|anti|free|pass|passed|absence)([^a-z]|$)'
            )
            then 1 - value
        else value
    end
);

-- whether a score is a guardrail's, by its name
create or replace macro memory.main.is_guardrail(name) as (
    regexp_matches(coalesce(lower(name), ''), 'guard|moderation|safety|toxic|jailbreak|injection|policy')
);
