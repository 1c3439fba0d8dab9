-- verifier_failed: an executable check says the answer is wrong (here: arithmetic in its own <<a=b>> steps)
-- about: answer
with
steps as (
    select
        trace_id,
        unnest(regexp_extract_all(output, '<<[^<>=]+=[^<>=]+>>')) as step
    from traces
    where output like '%<<%'
),

sides as (
    select
        trace_id,
        step,
        regexp_replace(regexp_extract(step, '<<([^=]+)=', 1), '[\s,$]', '', 'g') as expression,
        try_cast(regexp_replace(regexp_extract(step, '=([^>]+)>>', 1), '[\s,$%]', '', 'g') as double) as claimed
    from steps
),

-- sums of products; anything with parentheses is not judged
judged as (
    select
        *,
        row_number() over () as step_number
    from sides
    where regexp_full_match(expression, '-?[0-9.]+([-+*/][0-9.]+)*')
),

terms as (
    select
        step_number,
        unnest(regexp_extract_all(expression, '[+-]?[^+-]+')) as term
    from judged
),

numbered_terms as (
    select
        step_number,
        term,
        row_number() over () as term_number
    from terms
),

factors as (
    select
        step_number,
        term_number,
        term,
        unnest(regexp_extract_all(ltrim(term, '+-'), '[*/]?[^*/]+')) as factor
    from numbered_terms
),

numbers as (
    select
        step_number,
        term_number,
        term,
        case
            when starts_with(factor, '/') then 1 / nullif(try_cast(ltrim(factor, '/') as double), 0)
            else try_cast(ltrim(factor, '*') as double)
        end as number
    from factors
),

products as (
    select
        step_number,
        term_number,
        case when count(number) = count(*) then product(number) end
        * case when starts_with(any_value(term), '-') then -1 else 1 end as value
    from numbers
    group by step_number, term_number
),

computed as (
    select
        step_number,
        sum(value) as value
    from products
    group by step_number
    having count(value) = count(*) -- a step with a division by zero, or with what is no number, has no value
)

select
    judged.trace_id,
    1.0 as strength,
    'arithmetic is wrong: ' || any_value(judged.step) as evidence
from judged
inner join computed on judged.step_number = computed.step_number
-- half a percent: models round to cents and whole per cents
where abs(computed.value - judged.claimed) > 0.01 + 0.005 * abs(judged.claimed)
group by judged.trace_id
