"""Who takes part: people, organisations, their other names and sites, and who acts for whom."""

import uuid
from datetime import date, timedelta
from typing import Any, NamedTuple, Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.free_text import ShortText
from supplies.leaks import masked
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.organisations.names import is_credit_code
from supplies.organisations.roles import Role
from supplies.organisations.verification import CallLog, Verification
from supplies.regions.models import Region
from supplies.search import FEW, mention_index


class Acting(NamedTuple):
    """A membership, once for each of its regions; `region` and its `path` are None where it has none."""

    organisation: uuid.UUID
    role: str
    is_manager: bool
    status: str
    region: str | None
    path: str | None


class User(AbstractUser):
    """An account. What it may do follows from its memberships."""

    language = models.CharField(_("language"), max_length=10, blank=True)
    reminded_by_mail = models.BooleanField(
        _("reminded by mail"),
        default=True,
        help_text=_("Of what one's hospital asked for, before it is no longer shown as needed."),
    )

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    @cached_property
    def acting(self) -> tuple[Acting, ...]:
        """Whom she acts for. Read once per object: everything that she may do follows from it."""
        rows = self.memberships.values_list(
            "organisation", "role", "is_manager", "organisation__status", "regions", "regions__path"
        )
        return tuple(Acting(*row) for row in rows)

    def __str__(self) -> str:
        """Not the name one signs in with: this is what logs, lists and messages say."""
        return f"#{self.pk}"

    @property
    def roles(self) -> frozenset[str]:
        """The roles of all memberships; a superuser is an administrator."""
        roles = {one.role for one in self.acting}
        return frozenset(roles | ({Role.ADMIN.value} if self.is_superuser else set()))

    def has_role(self, *roles: str) -> bool:
        return self.is_active and bool(self.roles & set(map(str, roles)))

    @property
    def watches_over_all(self) -> bool:
        """May see every row, whoever it belongs to and wherever it lies."""
        return self.has_role(Role.VOLUNTEER, Role.AUDITOR, Role.ADMIN)

    @property
    def coordinated(self) -> frozenset[str]:
        """The paths of the regions this person coordinates."""
        hers = (one.path for one in self.acting if one.role == Role.COORDINATOR) if self.is_active else ()
        return frozenset(path for path in hers if path is not None)

    def coordinates(self, region: Region) -> bool:
        return any(region.path.startswith(path) for path in self.coordinated)

    @property
    def needs_second_factor(self) -> bool:
        """Whether a password is not enough: everyone at the desk, and who manages an organisation that is believed."""
        return (
            self.is_staff
            or self.has_role(Role.VOLUNTEER, Role.COORDINATOR, Role.AUDITOR, Role.ADMIN)
            or any(one.is_manager and one.status == Verified.VERIFIED for one in self.acting)
        )

    @property
    def reads_as_written(self) -> bool:
        """Reads the free words of rows it may see as they were written; who only watches reads what everybody reads."""
        return not self.watches_over_all or self.has_role(Role.VOLUNTEER, Role.ADMIN)

    @property
    def organisation_ids(self) -> frozenset[uuid.UUID]:
        """The organisations the person acts for: few, so that an index answers what a subquery would not."""
        return frozenset(one.organisation for one in self.acting)

    def forget_roles(self) -> None:
        """After a membership has come or gone."""
        self.__dict__.pop("acting", None)


def in_regions_of(user: User, *paths: str) -> Q:
    """The rows that one of the paths leads from into a region this person coordinates, e.g. "facility__region__path"."""
    inside = Q(pk__in=[])
    for region in sorted(user.coordinated):
        for path in paths:
            inside |= Q(**{f"{path}__startswith": region})
    return inside


class Verified(models.TextChoices):
    UNVERIFIED = "unverified", _("not verified yet")
    VERIFIED = "verified", _("verified")
    REFUSED = "refused", _("refused")


ORGANISATION_LIFECYCLE = Lifecycle(
    {
        Verified.UNVERIFIED: {Verified.VERIFIED, Verified.REFUSED},
        Verified.VERIFIED: {Verified.REFUSED},
        Verified.REFUSED: {Verified.UNVERIFIED},
    }
)


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def verified(self) -> Self:
        return self.filter(status=Verified.VERIFIED)

    def standing(self) -> Self:
        """Those that were not merged into another."""
        return self.filter(merged_into=None)

    def called(self, text: str) -> Self:
        """Whose name, or one of whose other names, holds the text."""
        return self.filter(Q(name__mentions=text) | Q(pk__in=Alias.objects.owners_of(text)))

    def of(self, user: Any) -> Self:
        """The organisations the person acts for."""
        return self.filter(memberships__user=user).distinct() if user.is_authenticated else self.none()

    def to_check(self) -> Self:
        """Not verified yet, or verified so long ago that it has to be looked at again."""
        waits = Q(status=Verified.UNVERIFIED) | Q(to_check_since__isnull=False)
        return self.standing().filter(waits)

    def to_call_back(self, on: date) -> Self:
        """Those whose last call ended with a promise to call again, by that day."""
        last = CallLog.objects.filter(organisation=OuterRef("pk")).order_by("-pk")
        return self.annotate(call_back_on=Subquery(last.values("call_back_on")[:1])).filter(
            call_back_on__lte=on
        )

    def foreign_to(self, user: "User") -> Self:
        """Those the person has no hand in: she neither registered it nor acts for it."""
        acts = Membership.objects.filter(organisation=OuterRef("pk"), user=user)
        return self.exclude(registered_by=user).exclude(Exists(acts))

    def open_to(self, user: "User") -> Self:
        """Those that a yes of this person would bring further: she has no hand in it and has not said it this round."""
        said = Verification.objects.yes().filter(
            organisation=OuterRef("pk"), round=OuterRef("check_round"), by=user
        )
        return self.foreign_to(user).exclude(Exists(said))

    def with_yeses(self) -> Self:
        """`yeses`: how many people have said yes in the round that is under way."""
        mine = Verification.objects.yes().filter(organisation=OuterRef("pk"), round=OuterRef("check_round"))
        counted = mine.order_by().values("organisation").annotate(count=Count("pk")).values("count")
        return self.annotate(yeses=Coalesce(Subquery(counted), 0))

    def visible_to(self, user: Any) -> Self:
        """Hospitals, carriers and charities are public once verified; donors only to themselves and those who watch.

        A hospital of another instance is told by that one, and is in no list of ours.
        """
        if user.is_authenticated and user.watches_over_all:
            return self
        public = Q(status=Verified.VERIFIED, merged_into=None) & ~Q(kind__in=NOT_PUBLIC)
        if not user.is_authenticated:
            return self.filter(public)
        own = Q(pk__in=Membership.objects.filter(user=user).values("organisation"))
        return self.filter(public | own | in_regions_of(user, "region__path"))


class Mergeable:
    """What may turn out to be the same as another row, and is read there from then on."""

    merged_into: Any

    @property
    def standing_for(self) -> Self:
        """Itself, or what it was merged into, and that into, and so on."""
        row = self
        while row.merged_into is not None:
            row = row.merged_into
        return row


LONGEST_TRUST = timedelta(days=366)  # between one check and the next


class Organisation(Mergeable, Moving):
    """A body that takes part: a hospital, a donor, a carrier, a charity that coordinates, a group of volunteers."""

    class Kind(models.TextChoices):
        HOSPITAL = "hospital", _("hospital")
        DONOR = "donor", _("donor")
        CARRIER = "carrier", _("carrier")
        COORDINATOR = "coordinator", _("coordinator or charity")
        VOLUNTEERS = "volunteers", _("volunteer group")
        ELSEWHERE = "elsewhere", _("hospital of another instance")

    lifecycle = ORGANISATION_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    name = ShortText(_("name"), max_length=200)
    normal_name = models.CharField(
        max_length=200, editable=False, db_index=True, help_text=_("The name as the importer compares it.")
    )
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"), related_name="organisations")
    credit_code = models.CharField(
        _("unified social credit code"), max_length=18, blank=True, validators=[is_credit_code]
    )
    status = models.CharField(_("verification"), max_length=12, choices=Verified, default=Verified.UNVERIFIED)
    allocates_for_me = models.BooleanField(
        _("standing consent"),
        default=False,
        help_text=_("The donor agrees in advance to every match of goods it did not direct."),
    )
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("merged into"),
        related_name="merged",
        editable=False,
    )
    source = ShortText(_("source"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    registered_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("registered by"), related_name="+"
    )

    # What was found out about it. A round ends with the second yes or with the first no.
    check_round = models.PositiveIntegerField(default=1, editable=False)
    by_source = models.BooleanField(
        _("by its source"),
        default=False,
        help_text=_("Taken over from a list that was moderated where it was published."),
    )
    verified_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("verified by"), related_name="+"
    )
    seconded_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("and by"), related_name="+"
    )
    verified_on = models.DateField(_("verified on"), null=True, blank=True)
    recheck_on = models.DateField(_("check again on"), null=True, blank=True)
    to_check_since = models.DateField(_("to be checked again since"), null=True, blank=True)
    public_note = ShortText(
        _("public note"),
        max_length=601,  # one of each verdict
        blank=True,
        help_text=_("How it was verified; of a refused one, what has to change."),
    )

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            status_is_listed(Verified, "organisation_status_is_listed"),
            models.UniqueConstraint(
                fields=["kind", "normal_name", "region"], name="organisation_once_per_region"
            ),
            models.UniqueConstraint(
                fields=["kind", "credit_code"],
                condition=Q(merged_into=None) & ~Q(credit_code=""),
                name="organisation_one_per_credit_code",
            ),
            models.CheckConstraint(
                name="organisation_not_merged_into_itself", condition=~Q(merged_into=F("id"))
            ),
            models.CheckConstraint(
                name="organisation_verified_by_two_or_by_its_source",
                condition=~Q(status=Verified.VERIFIED)
                | Q(verified_on__isnull=False, recheck_on__isnull=False)
                & (Q(by_source=True) | Q(verified_by__isnull=False, seconded_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="organisation_verified_by_two_people", condition=~Q(verified_by=F("seconded_by"))
            ),
            models.CheckConstraint(
                name="organisation_not_verified_by_who_registered_it",
                condition=~Q(verified_by=F("registered_by")) & ~Q(seconded_by=F("registered_by")),
            ),
            models.CheckConstraint(
                name="organisation_checked_again_within_a_year",
                condition=Q(recheck_on=None)
                | Q(recheck_on__gt=F("verified_on"), recheck_on__lte=F("verified_on") + LONGEST_TRUST),
            ),
        ]
        indexes = [
            mention_index("name", "organisation_by_mention"),
            models.Index(fields=["name", "id"], name="organisation_by_name"),
            models.Index(
                fields=["created_at", "id"], condition=Q(status="unverified"), name="organisation_waiting"
            ),
            models.Index(
                fields=["to_check_since"],
                condition=Q(to_check_since__isnull=False),
                name="organisation_to_check_again",
            ),
            models.Index(
                fields=["recheck_on"],
                condition=Q(status="verified", to_check_since=None),
                name="organisation_by_recheck",
            ),
            models.Index(fields=["created_at", "id"], name="organisation_oldest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_verified(self) -> bool:
        return self.status == Verified.VERIFIED

    @property
    def awaits_check(self) -> bool:
        """Somebody should find out about it: it is not verified, was taken over unseen, or has to be checked again."""
        return not self.is_verified or self.by_source or self.to_check_since is not None

    @property
    def how_verified(self) -> str:
        """What may be told of how it was verified; of a refused one, what has to change."""
        if not self.by_source:
            return masked(self.public_note)
        told = gettext("Taken over from a list that was moderated where it was published: %(source)s")
        return told % {"source": masked(self.source) or "–"}

    @property
    def is_reached_by_all(self) -> bool:
        """Whether everyone who signed in may know its dock and its number, masked: verified, and receives goods."""
        return self.status == Verified.VERIFIED and self.kind in RECEIVING_KINDS


NOT_PUBLIC = (Organisation.Kind.DONOR, Organisation.Kind.ELSEWHERE)
RECEIVING_KINDS = (Organisation.Kind.HOSPITAL, Organisation.Kind.COORDINATOR)


class AliasQuerySet(models.QuerySet["Alias"]):
    def mentioning(self, text: str) -> Self:
        return self.filter(name__mentions=text)

    def owners_of(self, text: str) -> list[uuid.UUID]:
        """The organisations one of whose other names holds the text. Few, so that they are looked up first."""
        return list(self.mentioning(text).values_list("organisation", flat=True)[:FEW])


class Alias(models.Model):
    """Another name of an organisation: it is searched like its own, and lists that use it mean the same."""

    class Kind(models.TextChoices):
        OTHER = "other", _("other name")
        OLD = "old", _("old name")
        MISSPELT = "misspelt", _("misspelling")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, verbose_name=_("organisation"), related_name="aliases"
    )
    name = ShortText(_("name"), max_length=200)
    normal_name = models.CharField(
        max_length=200, editable=False, db_index=True, help_text=_("The name as the importer compares it.")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.OTHER)
    source = ShortText(_("source"), max_length=200, blank=True)
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("who"), related_name="+"
    )
    at = models.DateTimeField(_("when"))

    objects = AliasQuerySet.as_manager()

    class Meta:
        verbose_name = _("other name")
        verbose_name_plural = _("other names")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "normal_name"], name="alias_once_per_organisation"
            ),
            models.CheckConstraint(
                name="alias_kind_is_listed", condition=Q(kind__in=["other", "old", "misspelt"])
            ),
        ]
        indexes = [mention_index("name", "alias_by_mention")]

    def __str__(self) -> str:
        return self.name


class FacilityQuerySet(models.QuerySet["Facility"]):
    def taking(self) -> Self:
        """Sites that are not paused."""
        return self.filter(is_paused=False)

    def in_region(self, region: Region) -> Self:
        return self.filter(region__path__startswith=region.path)

    def of(self, user: Any) -> Self:
        return self.filter(organisation__in=Organisation.objects.of(user))

    def called(self, text: str) -> Self:
        """Whose name, or one of whose organisation's other names, holds the text."""
        return self.filter(Q(name__mentions=text) | Q(organisation__in=Alias.objects.owners_of(text)))

    def visible_to(self, user: Any) -> Self:
        theirs = Q(organisation__in=Organisation.objects.visible_to(user))
        if not user.is_authenticated:
            return self.filter(theirs)
        return self.filter(theirs | in_regions_of(user, "region__path"))


class Facility(Mergeable, models.Model):
    """A site of an organisation: where goods arrive or start."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, verbose_name=_("organisation"), related_name="facilities"
    )
    name = ShortText(_("name"), max_length=200)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"), related_name="facilities")
    address = ShortText(_("dock address"), max_length=300, blank=True)
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    lon = models.FloatField(_("longitude"), null=True, blank=True)
    datum = models.CharField(
        _("datum"), max_length=10, default="WGS84", choices=[("WGS84", "WGS84"), ("GCJ02", "GCJ02")]
    )
    timezone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    gln = models.CharField(_("global location number"), max_length=13, blank=True)
    patients = models.PositiveIntegerField(_("patients a day"), null=True, blank=True)
    beds = models.PositiveIntegerField(_("beds"), null=True, blank=True)
    staff = models.PositiveIntegerField(_("staff"), null=True, blank=True)
    is_paused = models.BooleanField(
        _("not accepting goods for now"),
        default=False,
        help_text=_("No match is made for it, and donors are told."),
    )
    pause_reason = ShortText(_("why it is not accepting goods"), max_length=200, blank=True)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("merged into"),
        related_name="merged",
        editable=False,
    )

    objects = FacilityQuerySet.as_manager()

    class Meta:
        verbose_name = _("facility")
        verbose_name_plural = _("facilities")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="facility_once_per_organisation"),
            models.CheckConstraint(name="facility_not_merged_into_itself", condition=~Q(merged_into=F("id"))),
            models.CheckConstraint(
                name="facility_latitude_on_earth", condition=Q(lat=None) | Q(lat__range=(-90, 90))
            ),
            models.CheckConstraint(
                name="facility_longitude_on_earth", condition=Q(lon=None) | Q(lon__range=(-180, 180))
            ),
        ]
        indexes = [
            mention_index("name", "facility_by_mention"),
            models.Index(fields=["name", "id"], name="facility_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> tuple[float, float]:
        """Latitude and longitude: the site's own, else its region's."""
        if self.lat is not None and self.lon is not None:
            return self.lat, self.lon
        return self.region.lat or 0.0, self.region.lon or 0.0


class MembershipQuerySet(models.QuerySet["Membership"]):
    def managing(self) -> Self:
        return self.filter(is_manager=True)

    def visible_to(self, user: Any) -> Self:
        """Who acts for whom: volunteers and auditors read it of all, coordinators of the organisations of their regions."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        return self.filter(in_regions_of(user, "organisation__region__path"))


class Membership(models.Model):
    """A person acts for an organisation in a role; a coordinator does so for regions."""

    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("account"), related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, verbose_name=_("organisation"), related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=12, choices=[c for c in Role.choices if c[0] != "admin"])
    regions = models.ManyToManyField(Region, verbose_name=_("regions"), blank=True, related_name="+")
    is_manager = models.BooleanField(
        _("manages"),
        default=False,
        help_text=_("Invites others to act for the organisation, and dismisses them."),
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation", "role"], name="membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_role_display()}"
