"""Route one day's hard examples into the lake."""

from dataclasses import asdict
from datetime import date

from flywheel.core.examples import examples_of
from flywheel.core.lake import Lake
from flywheel.route.policy import RoutingPolicy, TeacherTrust, route_all

# what another model has earned says nothing about the one that answered today
_TRUST = """
with teachers as (
    select answers.corrector from answers inner join hard_examples on answers.example_id = hard_examples.example_id
    where hard_examples.day = $day and answers.author_kind = 'ai'
)
select is_trusted, agreement from corrector_trust
where day < $day and corrector in (select teachers.corrector from teachers)
order by day desc, judged_count desc limit 1
"""

_CONFIDENCES = """
select answers.example_id, max(coalesce(answers.confidence, 1)) as confidence
from answers inner join hard_examples on answers.example_id = hard_examples.example_id
where hard_examples.day = $day and answers.author_kind = 'ai' and answers.output is not null
group by answers.example_id
"""


def route_day(lake: Lake, day: date, policy: RoutingPolicy, run_id: str = "") -> dict[str, int]:
    """Decide every hard example of the day into `routes`; return how many went each way."""
    known = lake.frame(_TRUST, day=day)
    trust = TeacherTrust(*known.row(0)) if known.height else TeacherTrust(is_trusted=False, agreement=0.5)
    confidences = dict(lake.frame(_CONFIDENCES, day=day).iter_rows())
    routed = route_all(examples_of(lake, day), policy, trust, confidences, str(day))
    decisions = [asdict(decision) for decision in routed]
    routes = lake.typed("routes", decisions)
    lake.replace("routes", day, routes, run_id)
    return dict(routes.group_by("route").len().sort("route").iter_rows())
