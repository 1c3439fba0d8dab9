-- leaked_markup: the answer holds markup that nobody asked for: a template's tokens, or a fence around bare output
-- about: answer
-- applies: output is not null
-- prior: fires on 5% of failures, 0.3% of the rest
with
marked as (
    select
        trace_id,
        left(output, 40) as beginning,
        starts_with(ltrim(output), '```')
        and (
            requested_schema is not null
            or regexp_matches(
                lower(coalesce(query, '')),
                'without any (other|additional|extra) text|no (markdown|code fences?|backticks)'
                || '|(code|json|sql|answer|output) only\b'
                || '|\bonly (output|return|respond with|reply with|generate)( the)? (code|json|sql|label)'
            )
        ) as is_fenced,
        if(
            regexp_matches(
                lower(coalesce(query, '')),
                'template|jinja|handlebars|vue|angular|mustache|prompt|<\||inst\]|\{\{|sys>>'
            ),
            '',
            regexp_extract(
                left(output, 8000),
                '<\|[a-z_]{2,20}\|>|\[/?INST\]|<</?SYS>>|\{\{ ?[a-zA-Z_.]{2,40} ?\}\}|\[object Object\]'
            )
        ) as leaked
    from traces
    where regexp_matches(left(output, 8000), '```|<\||INST\]|SYS>>|\{\{|\[object')
)

select
    trace_id,
    0.8 as strength,
    case
        when is_fenced then 'answer is fenced, only its content was asked for: ' || beginning
        else 'template leaked into the answer: ' || leaked
    end as evidence
from marked
where is_fenced or leaked != ''
