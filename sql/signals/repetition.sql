-- repetition: the answer says the same over and over
-- about: answer
-- applies: length(output) >= 200
-- prior: fires on 2% of failures, 0.05% of the rest
with
long_answers as (
    select
        trace_id,
        output,
        right(rtrim(output), 30) as ending,
        list_filter(
            string_split_regex(left(output, 8000), '\s*[\n.!?]+\s*'), lambda sentence: length(sentence) >= 20
        ) as sentences
    from traces
    where length(output) >= 200
),

counted as (
    select
        trace_id,
        ending,
        (length(output) - length(replace(output, ending, ''))) / length(ending) as ending_count,
        len(sentences) as sentence_count,
        len(list_distinct(sentences)) as distinct_count
    from long_answers
)

select
    trace_id,
    0.9 as strength,
    case
        when ending_count >= 4 then 'answer repeats: ' || ending
        else 'answer repeats its sentences: ' || distinct_count || ' of ' || sentence_count || ' are different'
    end as evidence
from counted
where
    (ending_count >= 4 and length(regexp_replace(ending, '[^\p{L}]', '', 'g')) >= 8)
    or (sentence_count >= 6 and distinct_count * 2 <= sentence_count)
