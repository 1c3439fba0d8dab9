-- negative_comment: a comment on the answer complains
-- about: user
-- prior: fires on 5% of failures, 0.3% of the rest
select
    trace_id,
    0.8 as strength,
    'comment: ' || left(text, 100) as evidence
from feedback
where
    kind = 'comment'
    and (
        value < 0.5
        or regexp_matches(
            lower(left(text, 1000)),
            '\b(wrong|incorrect|inaccurate|not (right|correct|true|helpful|what|good|working|useful)|un(helpful|usable)'
            || '|useless|bad|terrible|awful|horrible|poor|worst|worse|nonsense|hallucinat\w*|made (it |this )?up|broken'
            || '|misleading|irrelevant|off.topic|missing|mistake|error|fail(s|ed|ure)?|disappoint\w*|frustrat\w*'
            || '|does(n.t| not) (work|help|answer|make sense)|did(n.t| not) (work|help|answer|understand))\b'
        )
    )
    -- "not bad", "no mistake", "nothing wrong"
    and not regexp_matches(
        lower(left(text, 1000)), '\b(not|no|never|nothing|without)( \w+)? (bad|wrong|mistakes?|errors?|missing|poor)\b'
    )
