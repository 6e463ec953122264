"""Which hospital that is registered somebody may be about to register once more."""

from django.db.models import Q

from supplies.organisations.models import Alias, Facility, Organisation, Verified
from supplies.organisations.names import keys_of, may_be_one, normal_name, short_name
from supplies.regions.models import Region
from supplies.regions.services import city_of

MOST_SHOWN = 5


def site_known_as(name: str, region: Region) -> Facility | None:
    """The first site of the hospital of this region that is known by this very name, or what it was merged into."""
    key = normal_name(name)
    named = Q(normal_name=key) | Q(aliases__normal_name=key)
    known = Organisation.objects.filter(named, kind=Organisation.Kind.HOSPITAL, region=region)
    standing = {row.standing_for for row in known.exclude(status=Verified.REFUSED)}
    return Facility.objects.filter(organisation__in=standing).order_by("name", "pk").first()


def likely_sites(name: str, region: Region) -> list[Facility]:
    """The first site of each hospital of the city whose name may be this one; by the rule that finds duplicates."""
    home = city_of(region.path)
    above = (region, region.parent, region.parent and region.parent.parent)
    city = next((place.name_zh for place in above if place is not None and place.path == home), "")
    hospitals = Organisation.objects.standing().filter(
        kind=Organisation.Kind.HOSPITAL, region__path__startswith=home
    )
    hospitals = hospitals.exclude(status=Verified.REFUSED)
    others = Alias.objects.filter(organisation__in=hospitals)
    names = hospitals.values_list("pk", "region__path", "name").union(
        others.values_list("organisation", "organisation__region__path", "name"), all=True
    )
    mine = short_name(name, city)
    keys = keys_of(mine)
    likely = {
        pk
        for pk, path, known in names
        if not keys.isdisjoint(keys_of(short := short_name(known, city)))
        and may_be_one(mine, short, same_district=path == region.path)
    }
    sites = Facility.objects.filter(organisation__in=likely, merged_into=None).select_related(
        "region__parent__parent"
    )
    firsts = sites.order_by("organisation", "name", "pk").distinct("organisation")[:MOST_SHOWN]
    return sorted(firsts, key=lambda site: site.name)
