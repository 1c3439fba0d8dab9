-- invalid_structure: the caller asked for JSON of a schema and the answer is not that
-- about: answer
select
    trace_id,
    1.0 as strength,
    case
        when try_cast(output as json) is null then 'answer is not JSON'
        else 'answer lacks a required key of the schema'
    end as evidence
from traces
where
    requested_schema is not null
    and error is null
    and (
        not json_valid(output)
        or json_type(output) != 'OBJECT'
        or not list_has_all(
            json_keys(output), coalesce(from_json(requested_schema -> 'required', '["VARCHAR"]'), []::varchar[])
        )
    )
