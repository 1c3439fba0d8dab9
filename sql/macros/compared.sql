-- compared: the text by which calls are one problem

-- what was asked, where that says something by itself (a character of Chinese, Japanese or Thai counts as a word);
-- else the end of what was said before it, for "Yes, please." is a question of its own in every conversation; a call
-- in which nobody said anything has no twin, and the hashes of two ids are nowhere near each other; most texts have
-- four words in their beginning, and need no counting to their end
create or replace macro memory.main.compared_text(query, input, trace_id) as (
    case
        when
            len(regexp_extract_all(left(query, 100), '[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]|[\pL\pN]+')) >= 4
            then query
        when len(regexp_extract_all(query, '[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]|[\pL\pN]+')) >= 4 then query
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
