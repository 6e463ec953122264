"""What goods serve besides what they are: of all that stands in for something else, what somebody who has them may give."""

from dataclasses import dataclass

from django.db.models import Q

from supplies.catalogue.models import Item, Standard, Substitution, Verdict


@dataclass(frozen=True)
class Served:
    """An item that goods may be given for: as what they are, in place of it, or if the hospital agrees (`is_on_terms`)."""

    item: Item
    is_itself: bool = False
    is_on_terms: bool = False


def served_by(text: str) -> list[Served]:
    """What goods of this name, or of this standard, could serve: themselves first, what needs a yes last. Empty for a word nobody knows.

    Which edition and class exactly decides over a single need; this only says where to look.
    """
    named = (
        Q(code__iexact=text) | Q(aliases__contains=[text]) | Q(title__holds=text) | Q(title_zh__holds=text)
    )
    standards = Standard.objects.filter(named).values("pk")
    own = list(Item.objects.active().mentioning(text).by_category())
    if not own:
        own = list(Item.objects.active().filter(standards__in=standards).distinct().by_category())
        offered = Q(offered__in=standards)
    else:
        offered = Q(offered__in=standards) | Q(offered__items__in=own)
    edges = (
        Substitution.objects.filter(offered, item__is_active=True)
        .exclude(verdict=Verdict.REJECT)
        .select_related("item")
        .order_by("verdict", "item", "pk")
    )
    served = {item.pk: Served(item, is_itself=True) for item in own}
    for edge in edges:
        served.setdefault(edge.item_id, Served(edge.item, is_on_terms=edge.verdict == Verdict.CONDITIONAL))
    return sorted(served.values(), key=lambda one: (not one.is_itself, one.is_on_terms))
