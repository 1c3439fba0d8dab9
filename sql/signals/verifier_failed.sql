-- verifier_failed: arithmetic that the answer writes out is wrong (a + b = c, or <<a+b=c>>)
-- about: answer
-- applies: regexp_matches(output, '[0-9] ?[-+*/x×÷][ $]{0,2}[0-9][^=\n]{0,40}=')
-- prior: fires on 20% of failures, 0.5% of the rest
with
written as (
    select
        trace_id,
        left(output, 20000) as output
    from traces
    where regexp_matches(output, '[0-9] ?[-+*/x×÷][ $]{0,2}[0-9][^=\n]{0,40}=')
),

-- a sum in plain text begins a line, a clause or a bracket, and what follows its result must not go on calculating
marked as (
    select
        trace_id,
        unnest(regexp_extract_all(output, '<<([^<>=]+=[^<>=]+)>>', 1)) as step,
        true as is_marked
    from written
    union all
    select
        trace_id,
        unnest(
            regexp_extract_all(
                regexp_replace(output, '<<[^<>]*>>', '', 'g'),
                '(?:^|[:;,.(\n"]\s*|[a-z]{2,} )(\$?[0-9][0-9,]*(?:\.[0-9]+)?'
                || '(?: ?[-+*/x×÷] ?\$?[0-9][0-9,]*(?:\.[0-9]+)?){1,6}'
                || ' ?= ?\$?-?[0-9][0-9,]*(?:\.[0-9]+)?)\.?\s*(?:$|[^-0-9.,+*/x×÷%^=\s])',
                1
            )
        ) as step,
        false as is_marked
    from written
),

sides as (
    select
        trace_id,
        step,
        is_marked,
        regexp_replace(
            replace(replace(replace(regexp_extract(step, '^([^=]+)=', 1), '×', '*'), 'x', '*'), '÷', '/'),
            '[\s,$]', '', 'g'
        ) as expression,
        try_cast(regexp_replace(regexp_extract(step, '=(.+)$', 1), '[\s,$%]', '', 'g') as double) as claimed
    from marked
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
    'arithmetic is wrong: ' || any_value(rtrim(judged.step, ',. ')) as evidence
from judged
inner join computed on judged.step_number = computed.step_number
-- half a percent: models round to cents and whole per cents; in plain text also to whole numbers
where
    abs(computed.value - judged.claimed)
    > if(judged.is_marked or not contains(judged.expression, '/'), 0.01, 1) + 0.005 * abs(judged.claimed)
group by judged.trace_id
