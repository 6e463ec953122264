"""What coordinators have told in the demonstration: two announcements, and a correction of a rumour."""

from datetime import datetime, timedelta

from matching.demo.cast import SOURCE
from supplies.announcements import services as telling
from supplies.announcements.models import Announcement, Kind
from supplies.emergencies.models import Emergency
from supplies.organisations.models import Organisation
from supplies.regions.models import Region

HOUR = timedelta(hours=1)


def announce(emergency: Emergency, *, at: datetime) -> None:
    giver = (
        Organisation.objects.filter(source=SOURCE, kind=Organisation.Kind.COORDINATOR)
        .order_by("name")
        .first()
    )
    assert giver is not None
    hubei = Region.objects.get(pk="420000")
    for hours_ago, row in (
        (
            72,
            Announcement(
                kind=Kind.ANNOUNCEMENT,
                title_zh="演示：寄出前请先在平台登记",
                title_en="Demo: register goods here before you send them",
                text_zh="先登记、后发货。没有登记的包裹，医院收货处无法知道该给谁，也无法确认标准。",
                text_en="Register first, send afterwards. Of a parcel nobody registered, a dock cannot know who it is for, nor what standard it meets.",
                reason="演示：上周有四成到货没有登记",
            ),
        ),
        (
            30,
            Announcement(
                kind=Kind.STOP_SENDING,
                title_zh="演示：普通防护眼镜已足够，请暂停寄送",
                title_en="Demo: ordinary goggles suffice, please send no more for now",
                text_zh="武汉各收货点的普通防护眼镜可用三周。请改为查看仍紧缺的物品。",
                text_en="The docks in Wuhan hold ordinary goggles for three weeks. Please look at what is still lacking instead.",
                reason="演示：库存高于三周用量",
            ),
        ),
        (
            6,
            Announcement(
                kind=Kind.CORRECTION,
                title_zh="演示：更正传言，医院并未拒收全部个人捐赠",
                title_en="Demo: hospitals do not refuse all gifts from private persons",
                text_zh="网传“个人捐赠一律拒收”不属实。每家医院接受谁的物资，写在它的求助页面上。",
                text_en="There is a rumour that gifts from private persons are refused everywhere. It is not true: each appeal says whose goods its hospital accepts.",
                reason="演示：传言使三家医院的到货停了两天",
            ),
        ),
    ):
        row.emergency, row.region, row.giver = emergency, hubei, giver
        telling.announce(row, by=None, at=at - hours_ago * HOUR)
