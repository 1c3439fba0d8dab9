-- invalid_structure: the caller asked for JSON of a schema and the answer is not that
-- about: answer
-- applies: requested_schema is not null and error is null
-- prior: fires on 10% of failures, 0.1% of the rest, firm
with recursive
asked as (
    select
        trace_id,
        output,
        json_valid(output) as is_json,
        requested_schema::varchar as schema
    from traces
    where
        requested_schema is not null
        and error is null
        and not (coalesce(trim(output), '') = '' and json_array_length(tool_calls) > 0)
),

schemas as (
    select distinct schema from asked
),

-- every value a schema describes, four levels deep; [] in a path stands for each item of a list
parts as (
    select
        schema,
        '$' as path,
        '$' as parent,
        schema::json as part,
        false as is_required,
        0 as depth
    from schemas
    union all
    select
        schema,
        path || if(step = '[]', step, '."' || step || '"') as path,
        path as parent,
        if(step = '[]', part -> '$.items', json_extract(part, '$.properties."' || step || '"')) as part,
        coalesce(list_contains(from_json(part -> '$.required', '["VARCHAR"]'), step), false) as is_required,
        depth + 1 as depth
    from (
        select
            *,
            unnest(
                list_concat(
                    list_distinct(
                        list_concat(
                            if(json_type(part -> '$.properties') = 'OBJECT', json_keys(part -> '$.properties'), []),
                            from_json(part -> '$.required', '["VARCHAR"]')
                        )
                    ),
                    -- lists within lists are not judged
                    if(json_type(part -> '$.items') = 'OBJECT' and not contains(path, '[]'), ['[]'], [])
                )
            ) as step
        from parts
        where depth < 4
    ) as opened
    -- a path cannot say every name that a key may have
    where step = '[]' or regexp_full_match(step, '[^"*\\\[\]]+')
),

rules as (
    select
        *,
        case json_type(part, '$.type')
            when 'VARCHAR' then [json_extract_string(part, '$.type')]
            when 'ARRAY' then from_json(json_extract(part, '$.type'), '["VARCHAR"]')
            -- a schema that does not say asks for an object
            else if(path = '$' and json_type(part, '$.anyOf') is null, ['object'], []::varchar[])
        end as types,
        from_json(json_extract(part, '$.enum'), '["JSON"]') as allowed
    from parts
),

applied as (
    select
        asked.trace_id,
        asked.output,
        rules.*,
        if(
            contains(rules.path, '[]'),
            range(least(json_array_length(asked.output, split_part(rules.path, '[]', 1)), 50)::bigint),
            [0]
        ) as places
    from asked
    inner join rules on asked.schema = rules.schema
    where asked.is_json
),

placed as (
    select
        *,
        '[' || unnest(places) || ']' as place
    from applied
),

found as (
    select
        trace_id,
        depth,
        output,
        is_required,
        types,
        allowed,
        replace(path, '[]', place) as path,
        replace(parent, '[]', place) as parent,
        json_type(output, replace(path, '[]', place)) as found_type,
        json_extract(output, replace(path, '[]', place)) as value
    from placed
),

named as (
    select
        *,
        case
            when found_type = 'VARCHAR' then ['string']
            when found_type in ('BIGINT', 'UBIGINT') then ['integer', 'number']
            when found_type = 'DOUBLE' and value::double % 1 = 0 then ['number', 'integer']
            when found_type = 'DOUBLE' then ['number']
            else [lower(found_type)]
        end as names
    from found
),

broken as (
    select
        trace_id,
        depth,
        case
            when found_type is null then 'answer lacks the key ' || path
            when len(types) > 0 and not list_has_any(types, names)
                then path || ' is ' || names[1] || ', not ' || types[1]
            else path || ' is ' || left(value::varchar, 40) || ', which is none of the allowed values'
        end as evidence
    from named
    where
        (found_type is null and is_required and json_type(output, parent) = 'OBJECT')
        or (found_type is not null and len(types) > 0 and not list_has_any(types, names))
        or (found_type is not null and allowed is not null and not list_contains(allowed, value))
)

select
    trace_id,
    1.0 as strength,
    'answer is not JSON: ' || left(coalesce(output, ''), 40) as evidence
from asked
where not coalesce(is_json, false)
union all
select
    trace_id,
    1.0 as strength,
    arg_min(evidence, depth) as evidence
from broken
group by trace_id
