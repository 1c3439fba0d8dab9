-- compared: the text by which calls are one problem

-- whether a text has four words or more; a character of Chinese, Japanese or Thai counts as one
create or replace macro memory.main.has_words(said) as (
    len(regexp_extract_all(said, '[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]|[\pL\pN]+')) >= 4
);

-- what was asked, where that says something by itself; else the end of what was said before it, for "Yes, please." is
-- a question of its own in every conversation; a call in which nobody said anything has no twin, and the hashes of two
-- ids are nowhere near each other; most texts have their words in the beginning, and need no counting to their end
create or replace macro memory.main.compared_text(query, input, trace_id) as (
    case
        when memory.main.has_words(left(query, 100)) then query
        when memory.main.has_words(query) then query
        else coalesce(
            list_transform(
                [from_json(input, '[{"role": "VARCHAR", "content": "VARCHAR"}]')],
                lambda said: right(coalesce(
                    nullif(trim(array_to_string(list_transform(
                        list_filter(said, lambda turn: coalesce(turn.role not in ('system', 'developer'), true)),
                        lambda turn: turn.content
                    ), chr(10))), ''),
                    nullif(trim(array_to_string(list_transform(said, lambda turn: turn.content), chr(10))), '')
                ), 2000)
            )[1],
            nullif(trim(query), ''),
            md5(trace_id)
        )
    end
);
