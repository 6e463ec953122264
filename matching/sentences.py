"""Why a match is proposed, and why a need stays short, as sentences in the reader's language."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from matching.fitting import WHY_NOT
from matching.kernel.explain import Cause
from matching.models import Lack, Proposal, Shortfall
from supplies.catalogue.models import Relation
from supplies.templatetags.amounts import amount
from supplies.wording import apart, bracketed, day

ENDED = {
    "facility-paused": gettext_lazy("the hospital is not accepting goods for now"),
    "need-withdrawn": gettext_lazy("the need has ended"),
    "offer-withdrawn": gettext_lazy("the offer has ended"),
    "superseded": gettext_lazy("a later run found something better"),
    "not-enough-left": gettext_lazy("a side was lowered, and too little is left"),
}


def why_ended(proposal: Proposal) -> str:
    """What a person wrote, or what a code stands for."""
    code = proposal.ended_because
    if code in ENDED:
        return str(ENDED[code])
    fault = next((fault for fault in WHY_NOT if fault == code), None)
    return str(WHY_NOT[fault]) if fault else code


def departure(proposal: Proposal) -> str:
    """In which ways an approval departs from what a run proposed, and why; empty where it does not."""
    if not proposal.deviates:
        return ""
    kinds = apart(str(kind.label) for kind in proposal.deviates)
    why = proposal.deviation_note or proposal.get_deviation_display()
    return f"{kinds}{bracketed(why)}"


def filling(proposal: Proposal) -> tuple[int, int]:
    """Units of the need that are there before and with this proposal, as much of it as is meant."""
    because = proposal.because
    return because["filled_before"], because["filled_after"] - proposal.quantity_left_out


def filled_from_to(proposal: Proposal) -> dict[str, int]:
    """The same in percent, as every page rounds it; nothing where the need has no number at all."""
    total = proposal.because.get("total")
    if not total:
        return {}
    before, after = (100 * filled // total for filled in filling(proposal))
    return {"before": before, "after": after}


def covering(total: Any, before: Any, after: Any, before_percent: int, after_percent: int) -> str:
    return _(
        "Of %(total)s asked for, %(before)s are covered without these goods (received, under way, promised or proposed), and"
        " %(after)s with them: %(before_percent)d → %(after_percent)d %%."
    ) % {
        "total": total,
        "before": before,
        "after": after,
        "before_percent": before_percent,
        "after_percent": after_percent,
    }


def sentences(proposal: Proposal, names: Mapping[str, str] | None = None) -> list[str]:
    """Why this proposal was made. Needs rows read with `with_sides`; asks the database nothing.

    names    of standards by their codes, for whoever has read them; the code stands for one without
    """
    because = proposal.because
    words = {"km": proposal.km, "days": proposal.days}
    found = [
        ngettext(
            "%(km)d km away, %(days)d day until it arrives.",
            "%(km)d km away, %(days)d days until it arrives.",
            proposal.days,
        )
        % words
    ]
    if because.get("days_to_spare") is not None:
        spare = because["days_to_spare"]
        found.append(
            ngettext(
                "That leaves %(days)d day until it is needed.",
                "That leaves %(days)d days until it is needed.",
                spare,
            )
            % {"days": spare}
        )
    is_itself = proposal.offer.item_id == proposal.need.item_id
    found.append(standing(because, names, is_itself=is_itself))
    if parts := filled_from_to(proposal):
        item = proposal.need.item
        total, before, after = (amount(item, part) for part in (because["total"], *filling(proposal)))
        found.append(covering(total, before, after, parts["before"], parts["after"]))
    if because.get("shelf_days") is not None:
        shelf = because["shelf_days"]
        found.append(
            ngettext(
                "On arrival %(days)d day of shelf life is left.",
                "On arrival %(days)d days of shelf life are left.",
                shelf,
            )
            % {"days": shelf}
        )
    if because.get("overshoot"):
        found.append(_("The goods are better than what was asked for; plainer ones would do."))
    if because.get("is_assumed"):
        found.append(
            _("No number was given: up to %(quantity)s is assumed.")
            % {"quantity": amount(proposal.need.item, because.get("total") or 0)}
        )
    assumed = proposal.need
    if assumed.urgency_assumed:
        found.append(_("The urgency was not stated and is assumed."))
    if assumed.needed_by_assumed:
        found.append(_("The date was not stated and is assumed."))
    return found


def standing(
    because: Mapping[str, Any], names: Mapping[str, str] | None = None, *, is_itself: bool = True
) -> str:
    """Why goods of their standard may go to a need, from what `fitting.grounds` says.

    is_itself    whether they are the very item that is asked for; others of a standard that is asked for do as well
    """
    reason, steps = because.get("reason"), because.get("steps") or []
    if reason == "standard_not_stated":
        return _("The donor states no standard; the hospital has to agree.")
    if reason == "sterility_not_stated":
        return _("The donor does not say whether the goods are sterile; the hospital has to agree.")
    if not steps:
        if is_itself:
            return _("It is what was asked for.")
        return _("It is another item, made to a standard that is asked for.")
    chain = apart(_step(offered, asked, relation, names or {}) for offered, asked, relation in steps)
    condition = because.get("condition")
    if not condition:
        return _("It may stand in: %(chain)s.") % {"chain": chain}
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    text = condition.get(language) or condition.get("en") or _("the hospital has to agree")
    return _("It may stand in if the hospital agrees: %(chain)s. Condition: %(condition)s.") % {
        "chain": chain,
        "condition": text,
    }


def _step(offered: str, satisfies: str, relation: str, names: Mapping[str, str]) -> str:
    label = dict(Relation.choices).get(relation, relation)
    return _("%(offered)s for %(asked)s (%(relation)s)") % {
        "offered": names.get(offered, offered),
        "asked": names.get(satisfies, satisfies),
        "relation": label,
    }


def shortfalls(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Reasons with the number of needs they keep short, most frequent first."""
    return [
        (str(dict(Lack.choices).get(reason, reason)), number)
        for reason, number in sorted(counts.items(), key=lambda pair: -pair[1])
    ]


def why_short(short: Shortfall) -> str:
    """Why a need stays short, with the figure that goes with it. Needs rows read with `with_sides`."""
    reason = short.get_cause_display()
    detail = _detail(short)
    return f"{reason}{bracketed(detail)}" if detail else reason


def until(short: Shortfall) -> date | None:
    """The day on which a need that waits for a better partner takes the best there is, in its hospital's time."""
    if short.cause != Cause.WAITS or short.figure is None:
        return None
    zone = short.need.appeal.facility.timezone
    return timezone.localdate(short.as_of, ZoneInfo(zone)) + timedelta(days=short.figure)


def _detail(short: Shortfall) -> str:
    figure = short.figure
    if figure is None:
        return ""
    if last := until(short):
        return _("until %(day)s at the latest") % {"day": day(last)}
    if short.cause == Cause.TOO_FAR:
        return _("the nearest %(km)s km away") % {"km": f"{figure // 1000:,}"}
    if short.cause == Cause.TOO_LATE:
        return ngettext("in %(days)d day", "in %(days)d days", figure) % {"days": figure}
    if short.cause == Cause.EXPIRES:
        return ngettext("%(days)d day after arrival", "%(days)d days after arrival", figure) % {
            "days": figure
        }
    if short.cause in (Cause.BELOW_LOT, Cause.REMAINDER_BELOW_LOT):
        item = short.need.item
        return _("at least %(quantity)s") % {"quantity": f"{item.written(figure)} {item.display_unit.name}"}
    return ""


def facts(proposal: Proposal) -> dict[str, Any]:
    """The same as data, for the API: numbers and codes only."""
    return {"km": proposal.km, "days": proposal.days, **proposal.because}


def examples() -> list[tuple[str, str]]:
    """Reasons as they are shown, each with what it means to somebody who reads one for the first time."""
    return [
        (
            ngettext(
                "%(km)d km away, %(days)d day until it arrives.",
                "%(km)d km away, %(days)d days until it arrives.",
                2,
            )
            % {"km": 380, "days": 2},
            _("How far the goods have to travel by road, and when they would be there, handling included."),
        ),
        (
            ngettext(
                "That leaves %(days)d day until it is needed.",
                "That leaves %(days)d days until it is needed.",
                3,
            )
            % {"days": 3},
            _("The time to spare before the day the hospital named."),
        ),
        (
            covering("1,000", "200", "450", 20, 45),
            _("How much of the need is there, on its way or proposed without these goods, and with them."),
        ),
        (
            _("It may stand in: %(chain)s.")
            % {"chain": _step("YY0469-2011", "YYT0969-2013", Relation.EXCEEDS, {})},
            _("These are not the goods that were asked for, but the table of standards says that they do."),
        ),
        (
            _("No number was given: up to %(quantity)s is assumed.") % {"quantity": "10,000"},
            _(
                "The hospital asked without a number. A usual quantity is assumed, so that the need is not forgotten and does not take everything."
            ),
        ),
        (
            str(Lack.SERVES_MORE_URGENT.label),
            _(
                "These goods go to needs that come first: more urgent ones, or ones of the same class that have less so far."
            ),
        ),
        (
            str(Lack.REMAINDER_BELOW_LOT.label),
            _("What is missing is less than a pack or the least parcel; it is not worth a journey."),
        ),
    ]
