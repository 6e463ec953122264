"""What anybody says is wrong with what is shown: reports, and the change that is asked for by them, which somebody decides."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supplies.free_text import ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.needs.models import Appeal, Need
from supplies.organisations.models import Facility, Membership, Organisation, User, in_regions_of
from supplies.organisations.roles import Role
from supplies.quantity import QuantityField, new_code, within_bounds
from supplies.regions.models import Region


class What(models.TextChoices):
    """What a report is about."""

    NEED = "need", _("need")
    APPEAL = "appeal", _("appeal")
    FACILITY = "facility", _("facility")
    ORGANISATION = "organisation", _("organisation")


class Wrong(models.TextChoices):
    CLOSED = "closed", _("closed: takes nothing")
    WRONG_QUANTITY = "wrong_quantity", _("wrong quantity")
    WRONG_TELEPHONE = "wrong_telephone", _("wrong telephone number")
    NOT_NEEDED = "not_needed", _("not needed any more")
    DUPLICATE = "duplicate", _("duplicate")
    FAKE = "fake", _("fake")
    OTHER = "other", _("something else")


# What can be wrong with what. Whoever reports chooses among these.
CAN_BE_WRONG: dict[What, tuple[Wrong, ...]] = {
    What.NEED: (Wrong.NOT_NEEDED, Wrong.WRONG_QUANTITY, Wrong.DUPLICATE, Wrong.FAKE, Wrong.OTHER),
    What.APPEAL: (
        Wrong.NOT_NEEDED,
        Wrong.CLOSED,
        Wrong.WRONG_TELEPHONE,
        Wrong.DUPLICATE,
        Wrong.FAKE,
        Wrong.OTHER,
    ),
    What.FACILITY: (Wrong.CLOSED, Wrong.WRONG_TELEPHONE, Wrong.DUPLICATE, Wrong.OTHER),
    What.ORGANISATION: (Wrong.CLOSED, Wrong.WRONG_TELEPHONE, Wrong.DUPLICATE, Wrong.FAKE, Wrong.OTHER),
}


def _is_about_what_it_says() -> Q:
    """Exactly the row it names is given; the organisation always is, as the one that is concerned."""
    condition = Q()
    for what in What:
        others = {f"{each.value}__isnull": each != what for each in (What.NEED, What.APPEAL, What.FACILITY)}
        condition |= Q(what=what, **others)
    return condition


def _kind_fits_what_it_is_about() -> Q:
    condition = Q()
    for what, kinds in CAN_BE_WRONG.items():
        condition |= Q(what=what, kind__in=kinds)
    return condition


class ChangeRequestStatus(models.TextChoices):
    OPEN = "open", _("waiting for an answer")
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")
    WITHDRAWN = "withdrawn", pgettext_lazy("status", "taken back")


# What was decided stays decided: whoever disagrees reports anew, and both stand in the books.
CHANGE_REQUEST_LIFECYCLE = Lifecycle(
    {
        ChangeRequestStatus.OPEN: {
            ChangeRequestStatus.ACCEPTED,
            ChangeRequestStatus.DECLINED,
            ChangeRequestStatus.WITHDRAWN,
        },
        ChangeRequestStatus.ACCEPTED: set(),
        ChangeRequestStatus.DECLINED: set(),
        ChangeRequestStatus.WITHDRAWN: set(),
    }
)


class ChangeRequestQuerySet(models.QuerySet["ChangeRequest"]):
    def open(self) -> Self:
        return self.filter(status=ChangeRequestStatus.OPEN)

    def about(self, row: models.Model) -> Self:
        """Of this very need, appeal, facility or organisation."""
        what = What(str(row._meta.model_name))
        return self.filter(**{"what": what, what.value: row})

    def visible_to(self, user: Any) -> Self:
        """Volunteers see all, coordinators those of their regions, a hospital what is said of it; but not that it is a fake."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        acting = Membership.objects.filter(user=user).exclude(role=Role.AUDITOR).values("organisation")
        own = Q(organisation__in=acting) & ~Q(kind=Wrong.FAKE)
        return self.filter(own | in_regions_of(user, "region__path"))

    def with_subject(self) -> Self:
        return self.select_related(
            "need__item__display_unit", "need__appeal", "appeal", "facility", "organisation", "region"
        )

    def oldest_first(self) -> Self:
        return self.order_by("created_at", "pk")

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class ChangeRequest(Moving):
    """One change to decide, however many report it: of one thing and one kind at most one is open."""

    lifecycle = CHANGE_REQUEST_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    what = models.CharField(_("about"), max_length=12, choices=What)
    need = models.ForeignKey(
        Need, models.PROTECT, null=True, blank=True, verbose_name=_("need"), related_name="change_requests"
    )
    appeal = models.ForeignKey(
        Appeal,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("appeal"),
        related_name="change_requests",
    )
    facility = models.ForeignKey(
        Facility,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("facility"),
        related_name="change_requests",
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, verbose_name=_("organisation"), related_name="change_requests"
    )
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"), related_name="+")
    kind = models.CharField(_("what is wrong"), max_length=16, choices=Wrong)
    status = models.CharField(
        _("status"), max_length=10, choices=ChangeRequestStatus, default=ChangeRequestStatus.OPEN
    )
    as_it_stood = models.JSONField(
        _("as it stood"),
        default=dict,
        help_text=_("What was shown when it was first reported: public facts, codes and numbers only."),
    )
    created_at = models.DateTimeField(_("first reported"))
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("decided by"), related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    answer = ShortText(
        _("answer"), max_length=300, blank=True, help_text=_("Whoever reported it reads this.")
    )

    objects = ChangeRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("requested change")
        verbose_name_plural = _("requested changes")
        constraints = [
            status_is_listed(ChangeRequestStatus, "change_request_status_is_listed"),
            models.CheckConstraint(
                name="change_request_is_about_what_it_says", condition=_is_about_what_it_says()
            ),
            models.CheckConstraint(
                name="change_request_kind_fits_what_it_is_about", condition=_kind_fits_what_it_is_about()
            ),
            models.CheckConstraint(
                name="change_request_decided_by_somebody",
                condition=Q(status__in=["open", "withdrawn"], decided_by=None)
                | Q(status__in=["accepted", "declined"], decided_by__isnull=False, decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="change_request_declined_says_why", condition=~Q(status="declined") | ~Q(answer="")
            ),
            models.UniqueConstraint(
                fields=["what", "need", "appeal", "facility", "organisation", "kind"],
                condition=Q(status="open"),
                nulls_distinct=False,
                name="change_request_open_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at", "id"], condition=Q(status="open"), name="change_request_waiting"
            ),
            models.Index(fields=["created_at", "id"], name="change_request_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.subject}"

    @property
    def subject(self) -> Need | Appeal | Facility | Organisation:
        return self.need or self.appeal or self.facility or self.organisation

    @property
    def is_open(self) -> bool:
        return self.status == ChangeRequestStatus.OPEN


class ReportQuerySet(models.QuerySet["Report"]):
    def standing(self) -> Self:
        """Those that were not taken back."""
        return self.filter(withdrawn_at=None)

    def with_subject(self) -> Self:
        return self.select_related(
            *(f"change_request__{path}" for path in ("need__item", "appeal", "facility", "organisation"))
        )

    def oldest_first(self) -> Self:
        return self.order_by("at", "pk")


class Report(models.Model):
    """What one person says is wrong. It changes nothing; its code, which nobody else has, says what became of it.

    Nobody is asked who she is or how to reach her: what is not kept cannot leak, and the code is enough.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.ForeignKey(
        ChangeRequest, models.PROTECT, verbose_name=_("requested change"), related_name="reports"
    )
    code = models.CharField(_("tracking code"), max_length=32, unique=True, default=new_code, editable=False)
    quantity = QuantityField(
        _("right quantity"), null=True, blank=True, help_text=_("In the item's smallest counted unit.")
    )
    duplicate_of = ShortText(_("duplicate of"), max_length=300, blank=True)
    words = ShortText(_("in their words"), max_length=500, blank=True)
    reported_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("reported by"), related_name="+"
    )
    at = models.DateTimeField(_("reported"))
    withdrawn_at = models.DateTimeField(_("taken back"), null=True, blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [within_bounds("report_quantity_in_bounds", "quantity", at_least=1)]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"
