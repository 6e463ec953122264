"""How goods are kept and carried: at which temperature, and as which dangerous goods."""

from django.db import models
from django.db.models import CheckConstraint, F, Q
from django.utils.translation import gettext_lazy as _

EARTHLY = (-200, 100)  # °C: from liquid nitrogen to boiling water


class HazardClass(models.TextChoices):
    """Classes and divisions of dangerous goods, of the UN Model Regulations."""

    EXPLOSIVE = "1", _("explosives")
    FLAMMABLE_GAS = "2.1", _("flammable gases")
    OTHER_GAS = "2.2", _("gases, neither flammable nor toxic")
    TOXIC_GAS = "2.3", _("toxic gases")
    FLAMMABLE_LIQUID = "3", _("flammable liquids")
    FLAMMABLE_SOLID = "4.1", _("flammable solids")
    SELF_HEATING = "4.2", _("liable to catch fire by themselves")
    WITH_WATER = "4.3", _("flammable gases with water")
    OXIDISING = "5.1", _("oxidising substances")
    PEROXIDE = "5.2", _("organic peroxides")
    TOXIC = "6.1", _("toxic substances")
    INFECTIOUS = "6.2", _("infectious substances")
    RADIOACTIVE = "7", _("radioactive material")
    CORROSIVE = "8", _("corrosive substances")
    OTHER = "9", _("other dangerous goods")


def temperatures_in_order(name: str) -> CheckConstraint:
    """Of `min_temp_c` and `max_temp_c`, either of which may be open."""
    return CheckConstraint(
        name=name,
        condition=_earthly("min_temp_c")
        & _earthly("max_temp_c")
        & (Q(min_temp_c=None) | Q(max_temp_c=None) | Q(min_temp_c__lte=F("max_temp_c"))),
    )


def _earthly(column: str) -> Q:
    return Q(**{column: None}) | Q(**{f"{column}__gte": EARTHLY[0], f"{column}__lte": EARTHLY[1]})


def dangerous_with_number_and_class(name: str) -> CheckConstraint:
    """Of `un_number` and `hazard_class`: both, or neither."""
    return CheckConstraint(
        name=name,
        condition=Q(un_number="", hazard_class="")
        | Q(un_number__regex=r"^[0-9]{4}$", hazard_class__in=HazardClass.values),
    )
