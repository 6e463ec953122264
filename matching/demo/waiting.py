"""What waits at the desk on the day of loading, beside posts and proposals: every queue of the story has work in it."""

from datetime import datetime
from io import BytesIO

from django.db.models import Exists, OuterRef
from django.utils import timezone

from matching.demo.cast import SOURCE, Cast
from supplies.change_requests import services as corrections
from supplies.change_requests.models import Wrong
from supplies.duplicates import services as twins
from supplies.emergencies.models import Emergency
from supplies.intake import services as lists
from supplies.needs.models import Need
from supplies.organisations import services as people
from supplies.organisations.models import Organisation
from supplies.organisations.verification import CallOrigin, CallOutcome

LIST = """医院名称,省份,城市,物资名称,需求数量,单位
演示江北社区医院,湖北省,武汉市,医用外科口罩,2000,个
演示江北社区医院,湖北省,武汉市,防护服,150,件
演示东湖隔离点医院,湖北省,武汉市,护目镜,很多,个
"""


def leave_waiting(cast: Cast, emergency: Emergency, *, at: datetime) -> None:
    _twins(cast, at=at)
    _calls(cast, at=at)
    _reports(emergency, at=at)
    _list(cast, emergency, at=at)


def _twins(cast: Cast, *, at: datetime) -> None:
    """Hospitals that were registered a second time, by somebody who did not find the first."""
    for site in cast.facilities[50:53]:
        house = site.organisation
        twin = people.register(
            kind=Organisation.Kind.HOSPITAL,
            name=f"{house.name}设备科",
            region=house.region,
            by=None,
            at=at,
            source=SOURCE,
        )
        twins.propose(house, twin, by=cast.volunteer, at=at)


def _calls(cast: Cast, *, at: datetime) -> None:
    """Nobody answered lately: to be called again today."""
    newcomers = [site.organisation for site in cast.newcomers]
    waiting = [house for house in newcomers if not house.calls.exists()]
    for house in waiting[:2]:
        people.log_call(
            house,
            origin=CallOrigin.REGISTER,
            outcome=CallOutcome.NO_ANSWER,
            note="演示：总机占线 (the line was busy)",
            call_back_on=timezone.localdate(at),
            by=cast.volunteer,
            at=at,
        )


def _reports(emergency: Emergency, *, at: datetime) -> None:
    """What visitors said is wrong with what is shown."""
    rows = Need.objects.open().in_emergency(emergency).select_related("appeal__facility").order_by("pk")
    like_it = rows.filter(appeal__facility=OuterRef("appeal__facility"), item=OuterRef("item"))
    twice = rows.filter(Exists(like_it.exclude(pk=OuterRef("pk"))))[0]
    enough, late = rows.exclude(appeal__facility=twice.appeal.facility)[10:12]
    said = [
        (enough, Wrong.NOT_NEEDED, "演示：护士站说已经够用 (the ward says it has enough)", ""),
        (
            twice,
            Wrong.DUPLICATE,
            "演示：同一医院昨天发过 (posted yesterday already)",
            twice.appeal.facility.name,
        ),
        (late, Wrong.OTHER, "演示：收货时间写错了 (the opening hours are wrong)", ""),
    ]
    for need, kind, words, again in said:
        corrections.report(need, kind=kind, words=words, duplicate_of=again, by=None, at=at)


def _list(cast: Cast, emergency: Emergency, *, at: datetime) -> None:
    """A list that was read, whose rows wait for somebody to look at them."""
    content = LIST.encode()
    batch = lists.receive(
        BytesIO(content),
        name="演示清单.csv",
        size=len(content),
        emergency=emergency,
        by=cast.volunteer,
        at=at,
    )
    lists.work(batch.pk, at=at)
    batch.refresh_from_db()
    lists.say_columns(batch, lists.columns_of(batch).plan, by=cast.volunteer, at=at)
    lists.work(batch.pk, at=at)
