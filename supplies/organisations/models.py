"""Who takes part: people, organisations, their sites, who acts for whom, and how to reach them."""

import hashlib
import uuid
from datetime import datetime
from typing import Any, Self

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.regions.models import Region
from supplies.sealing import Sealed
from supplies.search import mention_index


class Role(models.TextChoices):
    HOSPITAL = "hospital", _("hospital")
    DONOR = "donor", _("donor")
    CARRIER = "carrier", _("carrier")
    VOLUNTEER = "volunteer", _("volunteer")
    COORDINATOR = "coordinator", _("coordinator")
    AUDITOR = "auditor", _("auditor")
    ADMIN = "admin", _("administrator")


class User(AbstractUser):
    """An account. What it may do follows from its memberships."""

    language = models.CharField(_("language"), max_length=10, blank=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    @property
    def roles(self) -> frozenset[str]:
        """The roles of all memberships; a superuser is an administrator. Read once per object."""
        if not hasattr(self, "_roles"):
            roles = set(self.memberships.values_list("role", flat=True))
            self._roles = frozenset(roles | ({Role.ADMIN.value} if self.is_superuser else set()))
        return self._roles

    def has_role(self, *roles: str) -> bool:
        return self.is_active and bool(self.roles & set(map(str, roles)))

    @property
    def watches_over_all(self) -> bool:
        """May see every row, whoever it belongs to."""
        return self.has_role(Role.VOLUNTEER, Role.COORDINATOR, Role.AUDITOR, Role.ADMIN)

    @property
    def organisation_ids(self) -> frozenset[uuid.UUID]:
        """The organisations the person acts for. Read once per object, and few: an index answers what a subquery would not."""
        if not hasattr(self, "_organisation_ids"):
            self._organisation_ids = frozenset(self.memberships.values_list("organisation", flat=True))
        return self._organisation_ids

    def forget_roles(self) -> None:
        """After a membership has come or gone."""
        self.__dict__.pop("_roles", None)
        self.__dict__.pop("_organisation_ids", None)


class Verified(models.TextChoices):
    UNVERIFIED = "unverified", _("not verified yet")
    VERIFIED = "verified", _("verified")
    REFUSED = "refused", _("refused")


ORGANISATION_LIFECYCLE = Lifecycle(
    {
        Verified.UNVERIFIED: {Verified.VERIFIED, Verified.REFUSED},
        Verified.VERIFIED: {Verified.UNVERIFIED, Verified.REFUSED},
        Verified.REFUSED: {Verified.UNVERIFIED, Verified.VERIFIED},
    }
)


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def verified(self) -> Self:
        return self.filter(status=Verified.VERIFIED)

    def of(self, user: Any) -> Self:
        """The organisations the person acts for."""
        return self.filter(memberships__user=user).distinct() if user.is_authenticated else self.none()

    def visible_to(self, user: Any) -> Self:
        """Hospitals, carriers and charities are public once verified; donors only where they act, or to volunteers."""
        if user.is_authenticated and user.watches_over_all:
            return self
        public = Q(status=Verified.VERIFIED) & ~Q(kind=Organisation.Kind.DONOR)
        if not user.is_authenticated:
            return self.filter(public)
        return self.filter(public | Q(pk__in=Membership.objects.filter(user=user).values("organisation")))


class Organisation(Moving):
    """A body that takes part: a hospital, a donor, a carrier, a charity that coordinates, a group of volunteers."""

    class Kind(models.TextChoices):
        HOSPITAL = "hospital", _("hospital")
        DONOR = "donor", _("donor")
        CARRIER = "carrier", _("carrier")
        COORDINATOR = "coordinator", _("coordinator or charity")
        VOLUNTEERS = "volunteers", _("volunteer group")

    lifecycle = ORGANISATION_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    name = models.CharField(_("name"), max_length=200)
    normal_name = models.CharField(
        max_length=200, editable=False, db_index=True, help_text=_("The name as the importer compares it.")
    )
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"), related_name="organisations")
    credit_code = models.CharField(_("unified social credit code"), max_length=18, blank=True)
    status = models.CharField(_("verification"), max_length=12, choices=Verified, default=Verified.UNVERIFIED)
    allocates_for_me = models.BooleanField(
        _("standing consent"),
        default=False,
        help_text=_("The donor agrees in advance to every match of goods it did not direct."),
    )
    source = models.CharField(_("source"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            status_is_listed(Verified, "organisation_status_is_listed"),
            models.UniqueConstraint(
                fields=["kind", "normal_name", "region"], name="organisation_once_per_region"
            ),
        ]
        indexes = [
            mention_index("name", "organisation_by_mention"),
            models.Index(fields=["name", "id"], name="organisation_by_name"),
            models.Index(
                fields=["created_at", "id"], condition=Q(status="unverified"), name="organisation_unverified"
            ),
            models.Index(fields=["created_at", "id"], name="organisation_oldest"),
        ]

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

    def visible_to(self, user: Any) -> Self:
        return self.filter(organisation__in=Organisation.objects.visible_to(user))


class Facility(models.Model):
    """A site of an organisation: where goods arrive or start."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, verbose_name=_("organisation"), related_name="facilities"
    )
    name = models.CharField(_("name"), max_length=200)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"), related_name="facilities")
    address = models.CharField(_("dock address"), max_length=300, blank=True)
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
        _("paused"), default=False, help_text=_("Takes nothing for the time being.")
    )
    pause_reason = models.CharField(_("why paused"), max_length=200, blank=True)

    objects = FacilityQuerySet.as_manager()

    class Meta:
        verbose_name = _("facility")
        verbose_name_plural = _("facilities")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="facility_once_per_organisation"),
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


class Membership(models.Model):
    """A person acts for an organisation in a role; a coordinator does so for regions."""

    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("account"), related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, verbose_name=_("organisation"), related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=12, choices=[c for c in Role.choices if c[0] != "admin"])
    regions = models.ManyToManyField(Region, verbose_name=_("regions"), blank=True, related_name="+")

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation", "role"], name="membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_role_display()}"


class Contact(models.Model):
    """How to reach somebody. Sealed at rest, read by volunteers who have to call, each reading journaled; erased on its day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, verbose_name=_("organisation"), related_name="contacts"
    )
    facility = models.ForeignKey(
        Facility, models.CASCADE, null=True, blank=True, verbose_name=_("facility"), related_name="contacts"
    )
    post = models.CharField(_("post or department"), max_length=80, blank=True)
    name_sealed = models.BinaryField(default=b"", editable=False)
    phone_sealed = models.BinaryField(default=b"", editable=False)
    email_sealed = models.BinaryField(default=b"", editable=False)
    source = models.CharField(_("source"), max_length=200, blank=True)
    erase_on = models.DateField(_("erase on"), null=True, blank=True)

    name = Sealed()
    phone = Sealed()
    email = Sealed()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return f"{self.organisation} · {self.post}" if self.post else str(self.organisation)


class Purpose(models.TextChoices):
    """What a contact may be read for. A code, since the journal keeps no free words."""

    VERIFY = "verify", _("to verify the organisation")
    ASK_DONOR = "ask_donor", _("to ask the donor about a match")
    ASK_HOSPITAL = "ask_hospital", _("to ask the hospital about a match")
    DELIVER = "deliver", _("to arrange a delivery")
    CORRECT = "correct", _("to correct a post")


class Verification(models.Model):
    """One judgement about an organisation: who, when, which way, and the reason the public may read."""

    organisation = models.ForeignKey(
        Organisation, models.CASCADE, related_name="verifications", verbose_name=_("organisation")
    )
    verdict = models.CharField(_("verdict"), max_length=12, choices=Verified)
    note = models.CharField(_("how it was verified"), max_length=300)
    by = models.ForeignKey(User, models.PROTECT, verbose_name=_("who"), related_name="+")
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_verdict_display()}"


class Scope(models.TextChoices):
    READ = "read", _("read")
    NEEDS = "needs", _("post needs")
    OFFERS = "offers", _("post offers")
    MATCHING = "matching", _("run the matching and answer proposals")
    SHIPMENTS = "shipments", _("move shipments")


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self, at: datetime) -> Self:
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=at))


class ApiToken(models.Model):
    """A program's key: acts as its user, within its scopes. Only the hash of the secret is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("acts as"), related_name="api_tokens")
    name = models.CharField(_("name"), max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("begins with"), max_length=12, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=12, choices=Scope), verbose_name=_("scopes"), default=list
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @staticmethod
    def digest_of(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()
