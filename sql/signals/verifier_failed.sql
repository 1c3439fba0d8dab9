-- verifier_failed: an executable check says the answer is wrong (here: arithmetic in its own <<a=b>> steps)
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

-- sums of products; anything with parentheses, a division by zero or what is no number is not judged
valued as (
    select
        trace_id,
        step,
        claimed,
        list_reduce(
            list_transform(
                regexp_extract_all(expression, '[+-]?[^+-]+'),
                lambda term: if(term[1] = '-', -1, 1) * list_reduce(
                    list_transform(
                        regexp_extract_all(ltrim(term, '+-'), '[*/]?[^*/]+'),
                        lambda factor: if(
                            factor[1] = '/',
                            1 / nullif(try_cast(factor[2:] as double), 0),
                            try_cast(ltrim(factor, '*') as double)
                        )
                    ),
                    lambda product, factor: product * factor
                )
            ),
            lambda total, term: total + term
        ) as computed
    from sides
    where regexp_full_match(expression, '-?[0-9.]+([-+*/][0-9.]+)*')
)

select
    trace_id,
    1.0 as strength,
    'arithmetic is wrong: ' || any_value(step) as evidence
from valued
-- half a percent: models round to cents and whole per cents
where abs(computed - claimed) > 0.01 + 0.005 * abs(claimed)
group by trace_id
