"""What people are told: a notice in somebody's inbox, how it leaves by each of her channels, and what she chose of that."""

import uuid
import zoneinfo
from datetime import datetime, time, timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.notices.models import Problem
from supplies.organisations.models import User
from supplies.sealing import Sealed
from supplies.wording import moment


class Group(models.TextChoices):
    """Kinds of news that are chosen together."""

    ANSWERS = "answers", _("Matches: to answer, agreed, taken back")
    POSTS = "posts", _("My needs and donations: published, met, ended")
    TRANSPORT = "transport", _("Shipments on their way, counts and thanks")
    TROUBLE = "trouble", _("Shipments in trouble and what did not arrive as promised")
    TRUST = "trust", _("Verification and roles")
    REMINDERS = "reminders", _("Reminders of what waits for me")
    SEARCHES = "searches", _("What fits my saved searches")
    WATCH = "watch", _("What waits for long at the desk")


class Channel(models.TextChoices):
    MAIL = "mail", _("e-mail")
    WECOM = "wecom", _("WeCom robot")
    DINGTALK = "dingtalk", _("DingTalk robot")


ROBOTS = (Channel.WECOM, Channel.DINGTALK)


class How(models.TextChoices):
    AT_ONCE = "at_once", _("at once")
    DIGEST = "digest", _("once a day")
    OFF = "off", pgettext_lazy("notifications", "not at all")


# What holds until somebody chooses otherwise. The inbox keeps everything.
BY_MAIL: dict[str, str] = {
    Group.ANSWERS: How.AT_ONCE,
    Group.POSTS: How.AT_ONCE,
    Group.TRANSPORT: How.DIGEST,
    Group.TROUBLE: How.AT_ONCE,
    Group.TRUST: How.AT_ONCE,
    Group.REMINDERS: How.AT_ONCE,
    Group.SEARCHES: How.DIGEST,
    Group.WATCH: How.DIGEST,
}


def default_of(group: str, channel: str) -> str:
    """A robot that was set up is meant to speak."""
    return str(BY_MAIL[group] if channel == Channel.MAIL else How.AT_ONCE)


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of(self, user: Any) -> Self:
        """One's own and nobody else's, whoever one is."""
        return self.filter(user=user) if user.is_authenticated else self.none()

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Notice(models.Model):
    """One piece of news for one person. It holds no words: they are found when it is read, in her language, from rows that
    she may see then.

    kind       of the journal's events, or of a saved search; supplies/notices/kinds.py says what it tells whom
    subject    what kind of rows it tells of, and `rows` their ids: what happened to one thing in one moment is one notice
    about      the id of that thing, whose page it leads to
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("account"), related_name="notices")
    kind = models.CharField(_("what"), max_length=60)
    group = models.CharField(_("kind of news"), max_length=10, choices=Group)
    subject = models.CharField(_("about"), max_length=40)
    about = models.CharField(_("its id"), max_length=40)
    rows = ArrayField(models.CharField(max_length=40), verbose_name=_("ids"))
    at = models.DateTimeField(_("when"))
    created_at = models.DateTimeField(_("created"))
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "about", "at"], name="notice_once"),
            models.CheckConstraint(name="notice_group_is_listed", condition=Q(group__in=Group.values)),
            models.CheckConstraint(name="notice_is_of_something", condition=Q(rows__len__gte=1)),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="notice_newest"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="notice_unread"),
            models.Index(fields=["created_at"], name="notice_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {moment(self.at)}"


class SendingStatus(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("notifications", "to be sent")
    SENT = "sent", pgettext_lazy("notifications", "sent")
    DROPPED = "dropped", pgettext_lazy("notifications", "not sent: done or switched off meanwhile")
    FAILED = "failed", pgettext_lazy("notifications", "given up")


SENDING_LIFECYCLE = Lifecycle(
    {
        SendingStatus.WAITING: {SendingStatus.SENT, SendingStatus.DROPPED, SendingStatus.FAILED},
        SendingStatus.SENT: set(),
        SendingStatus.DROPPED: set(),
        SendingStatus.FAILED: set(),
    }
)


class SendingQuerySet(models.QuerySet["Sending"]):
    def waiting(self) -> Self:
        return self.filter(status=SendingStatus.WAITING)

    def due(self, at: datetime) -> Self:
        return self.waiting().filter(Q(lease_until=None) | Q(lease_until__lte=at), next_at__lte=at)


class Sending(Moving):
    """A notice on its way out by one channel. What is due to a person at the same time goes out as one letter."""

    lifecycle = SENDING_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, models.CASCADE, related_name="sendings", verbose_name=_("notice"))
    user = models.ForeignKey(User, models.CASCADE, related_name="+", verbose_name=_("account"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    status = models.CharField(
        _("status"), max_length=10, choices=SendingStatus, default=SendingStatus.WAITING
    )
    next_at = models.DateTimeField(_("next attempt"))
    lease_until = models.DateTimeField(_("being sent until"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    tried_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    problem = models.CharField(_("problem"), max_length=10, choices=Problem, blank=True)

    objects = SendingQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice on its way")
        verbose_name_plural = _("notices on their way")
        constraints = [
            status_is_listed(SendingStatus, "sending_status_is_listed"),
            models.CheckConstraint(name="sending_channel_is_listed", condition=Q(channel__in=Channel.values)),
            models.UniqueConstraint(fields=["notice", "channel"], name="sending_once_by_channel"),
        ]
        indexes = [
            models.Index(fields=["next_at", "id"], condition=Q(status="waiting"), name="sending_due"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} · {self.status}"


# -- What somebody chose -----------------------------------------------------------------------------------


def is_time_zone(name: str) -> None:
    """Refuse what is no time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(gettext("Choose a time zone of the list, such as Asia/Shanghai."))


class Habits(models.Model):
    """When somebody may be told: her time zone, and the hours in which nothing is sent. Without a row, the defaults."""

    user = models.OneToOneField(
        User, models.CASCADE, primary_key=True, verbose_name=_("account"), related_name="habits"
    )
    timezone = models.CharField(
        _("time zone"), max_length=40, default="Asia/Shanghai", validators=[is_time_zone]
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)

    class Meta:
        verbose_name = _("when somebody may be told")
        verbose_name_plural = _("when people may be told")
        constraints = [
            models.CheckConstraint(
                name="habits_are_quiet_from_and_until",
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False)
                & ~Q(quiet_from=models.F("quiet_until")),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.user_id}"

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone)

    def moment_for(self, how: str, at: datetime) -> datetime:
        """When something that happened at this moment may be sent: now, or with the next digest; never in quiet hours."""
        zone = self.zone
        if how == How.DIGEST:
            at = _next(time(settings.DIGEST_HOUR), at, zone)
        if self.quiet_from is None or self.quiet_until is None:
            return at
        clock = at.astimezone(zone).time()
        over_midnight = self.quiet_from > self.quiet_until
        since, before = clock >= self.quiet_from, clock < self.quiet_until
        is_quiet = since or before if over_midnight else since and before
        return _next(self.quiet_until, at, zone) if is_quiet else at


def _next(clock: time, at: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    """The next moment after this one at which it is so late there."""
    local = at.astimezone(zone)
    moment = datetime.combine(local.date(), clock, zone)
    if moment.timestamp() <= at.timestamp():
        moment = datetime.combine(local.date() + timedelta(days=1), clock, zone)
    return moment.astimezone(at.tzinfo)


class Choice(models.Model):
    """How somebody wants to be told of a kind of news by one channel, where she wants it otherwise than the default."""

    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("account"), related_name="choices")
    group = models.CharField(_("kind of news"), max_length=10, choices=Group)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    how = models.CharField(_("how"), max_length=10, choices=How)

    class Meta:
        verbose_name = _("choice of how to be told")
        verbose_name_plural = _("choices of how to be told")
        constraints = [
            models.UniqueConstraint(fields=["user", "group", "channel"], name="choice_once"),
            models.CheckConstraint(
                name="choice_is_listed",
                condition=Q(group__in=Group.values, channel__in=Channel.values, how__in=How.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group} · {self.channel} · {self.how}"


class RobotQuerySet(models.QuerySet["Robot"]):
    def speaking(self) -> Self:
        return self.filter(is_off=False)


class Robot(models.Model):
    """A robot of a chat that tells somebody's news. Its address lets anybody write there: a secret, sealed.

    is_off    nothing got through for three days; it speaks again once it is set up anew
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("account"), related_name="robots")
    channel = models.CharField(
        _("channel"), max_length=10, choices=[(each.value, each.label) for each in ROBOTS]
    )
    key_sealed = models.BinaryField(editable=False)
    secret_sealed = models.BinaryField(default=b"", editable=False)
    created_at = models.DateTimeField(_("created"))
    succeeded_at = models.DateTimeField(_("last got through"), null=True, blank=True)
    is_off = models.BooleanField(_("switched off"), default=False)

    key = Sealed()
    secret = Sealed()

    objects = RobotQuerySet.as_manager()

    class Meta:
        verbose_name = _("robot")
        verbose_name_plural = _("robots")
        constraints = [
            models.UniqueConstraint(fields=["user", "channel"], name="robot_once_by_channel"),
            models.CheckConstraint(name="robot_channel_is_listed", condition=Q(channel__in=list(ROBOTS))),
            models.CheckConstraint(name="robot_has_an_address", condition=~Q(key_sealed=b"")),
        ]

    def __str__(self) -> str:
        return str(self.pk)
