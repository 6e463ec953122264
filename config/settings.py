"""The site's settings. What varies comes from the environment; production refuses weak defaults.

EMBEDDED=1 is set by the launcher: it has made the keys and the servers itself, on this machine only.
Without it the settings are those of production and every secret has to be given.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from limits import parse

from config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

EMBEDDED: bool = env.bool("EMBEDDED", default=False)
DEBUG: bool = env.bool("DEBUG", default=False)
STATE_DIR = Path(env.str("STATE_DIR", default=str(BASE_DIR / ".state")))


def required(name: str, *, at_least: int = 1) -> str:
    """The value of an environment variable that production cannot do without."""
    value: str = env.str(name, default="")
    if len(value) < at_least and not EMBEDDED:
        raise ImproperlyConfigured(
            f"{name} is missing or too short. Set it to a secret value of your own"
            f" ({at_least} characters or more), or start the embedded default with ./run."
        )
    return value


def database(url: str) -> dict[str, Any]:
    """postgres://user:password@host:port/name?host=/socket/dir as Django wants it."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgres://; no other engine is supported.")
    query = parse_qs(parts.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", [parts.hostname or ""])[0],
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": env.bool("DISABLE_SERVER_SIDE_CURSORS", default=False),
        "OPTIONS": {
            "options": "-c lock_timeout=5000 -c idle_in_transaction_session_timeout=300000",
            "connect_timeout": 5,  # a server that cannot be reached is said to be away, not waited for
        },
    }


if DEBUG and not EMBEDDED:
    raise ImproperlyConfigured("DEBUG is for the embedded default only. Unset it in production.")

SECRET_KEY = required("SECRET_KEY", at_least=32) or "embedded-checks-only"
if not EMBEDDED and SECRET_KEY.startswith(("django-insecure", "changeme", "test", "embedded")):
    raise ImproperlyConfigured(
        "SECRET_KEY is a default. Make one: python -c 'import secrets; print(secrets.token_urlsafe(64))'"
    )
# "id:base64 of 32 bytes", newest first, separated by commas; older ones only open what they once sealed.
FIELD_KEYS: list[str] = [key for key in required("FIELD_KEYS", at_least=44).split(",") if key]

# Signs the head of the journal's chain; whoever has it can show that a head kept elsewhere came from here.
AUDIT_KEY: str = env.str("AUDIT_KEY", default="")

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if EMBEDDED else [])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS is missing. Name the hosts the site is served under, separated by commas."
    )
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=0)  # how many proxies of ours stand before the site
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # who shows it may read /metrics; without one nobody may

DATABASES = {"default": database(required("DATABASE_URL") or "postgres:///tongzhou")}
DATABASE_ROLES: str = env.str("DATABASE_ROLES", default="tongzhou")  # what the names of its roles begin with
BROKER_URL = required("BROKER_URL") or "redis://"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": required("CACHE_URL") or "redis://",
        "KEY_PREFIX": "tongzhou",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},  # seconds
    },
    # What a process remembers by itself, where it must go on without the cache.
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

# Mail is written into the journal's outbox; a worker carries it to the real backend, which MAIL_URL names:
# smtp+tls://user:password@host:587, smtp://…, smtp+ssl://…, or filemail:///directory.
EMAIL_BACKEND = "supplies.journal.mail.Outbox"
mail = env.email_url_config(required("MAIL_URL") or f"filemail:///{STATE_DIR / 'mail'}")
MAIL_CARRIER: str = mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = mail["EMAIL_HOST"] or "localhost", mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail["EMAIL_HOST_USER"] or "", mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = mail.get("EMAIL_USE_TLS", False), mail.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH: str = mail["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = 10  # seconds
# Where mails say that a page is. A request knows it by itself; a worker has none.
SITE_ADDRESS: str = env.str(
    "SITE_ADDRESS", default="http://127.0.0.1:8000" if EMBEDDED else f"https://{ALLOWED_HOSTS[0]}"
).rstrip("/")
DEFAULT_FROM_EMAIL: str = env.str("MAIL_FROM", default=f"Tongzhou <noreply@{ALLOWED_HOSTS[0]}>")

INSTALLED_APPS = [
    "config.admin_site.DeskConfig",  # django.contrib.admin, with our first page
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "supplies",
    "matching",
    "config.apps.SiteConfig",
]
MIDDLEWARE = [  # the order is that of docs/decisions/0014
    "config.access_log.AccessLog",
    "config.headers.SecureHeaders",
    "csp.middleware.CSPMiddleware",
    "config.requests.ShedLoad",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.requests.RefuseTooLarge",
    "config.requests.RefuseUnreadableText",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.requests.ChooseLanguage",
    "config.limits.LimitRequests",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.requests.SayNothingWasDone",
    "config.requests.EndStaleSessions",
    "allauth.account.middleware.AccountMiddleware",
    "config.requests.RequireSecondFactor",
    "config.transactions.OneTransaction",  # the last one, so that it knows who asks
]
ROOT_URLCONF = "config.urls"
DESK_PATH: str = env.str(
    "DESK_PATH", default="desk/"
)  # where the volunteers' desk is; not where everybody tries
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": [
                "supplies.templatetags.once"
            ],  # a form that forgets it fails a test, so it is always at hand
        },
    }
]
ONCE_FIELD = "once"  # the field {% once %} puts into a form

AUTH_USER_MODEL = "supplies.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "supplies.accounts.forms.LongEnough", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600  # seconds
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "mine"
LOGOUT_REDIRECT_URL = "home"
CLIENT_NETWORK = (
    "config.clients.network_of"  # where a request comes from, as tries at passwords are counted by
)

SESSION_ENGINE = "supplies.accounts.sessions"
# How long a session may be left alone, and how long it lasts at most.
SESSION_LIMITS = {
    "desk": (
        timedelta(minutes=env.int("DESK_IDLE_MINUTES", default=30)),
        timedelta(hours=env.int("DESK_SESSION_HOURS", default=12)),
    ),
    "others": (
        timedelta(days=env.int("IDLE_DAYS", default=14)),
        timedelta(days=env.int("SESSION_DAYS", default=30)),
    ),
}
SESSION_COOKIE_AGE = int(SESSION_LIMITS["others"][1].total_seconds())
CONFIRMED_FOR = timedelta(minutes=15)  # how long a password or code that was typed proves who sits there
BROWSER_COOKIE_NAME = "browser" if EMBEDDED else "__Host-browser"  # to which accounts a browser has signed in

# django-allauth, as far as it is used: sessions in steps, second factors, addresses, resets. supplies/accounts has the pages.
ACCOUNT_ADAPTER = "supplies.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "add_email": "supplies.accounts.forms.MailForm",
    "confirm_email_verification_code": "supplies.accounts.forms.MailCodeForm",
    "change_password": "supplies.accounts.forms.ChangePasswordForm",  # pragma: allowlist secret
    "reauthenticate": "supplies.accounts.forms.ConfirmForm",
    "reset_password": "supplies.accounts.forms.ResetForm",  # pragma: allowlist secret
    "reset_password_from_key": "supplies.accounts.forms.NewPasswordForm",  # pragma: allowlist secret
}
ACCOUNT_RATE_LIMITS = False  # they are not atomic; supplies/accounts/backoff.py counts
ACCOUNT_USER_MODEL_EMAIL_FIELD = None  # an address is kept once, with whether it was confirmed
ACCOUNT_LOGIN_METHODS = {"username", "email"}
# An account needs no address, and the adapter never asks for one at the door; but one that is given counts only after the
# code sent to it was typed in. allauth takes these three together.
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_CHANGE_EMAIL = True  # one address; a new one takes the place of the old
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_ADAPTER = "supplies.accounts.adapters.SecondFactorAdapter"
MFA_TOTP_ISSUER = "同舟 Tongzhou"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = "Asia/Shanghai"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False

# Private files (evidence, photographs): sealed, outside of everything that is served.
PRIVATE_ROOT = Path(env.str("PRIVATE_ROOT", default=str(STATE_DIR / "private")))
# Who may read the private files about a row of this kind; nobody where none is named.
ATTACHMENT_READERS: dict[str, str] = {
    "organisation": "supplies.organisations.permissions.may_read_evidence",
    "import": "supplies.intake.permissions.may_read_file",
    "appeal": "supplies.intake.permissions.may_read_file",
    "shipment": "supplies.receipts.permissions.may_read_proof",
    "donation": "matching.permissions.may_read_goods_paper",
}
FILE_UPLOAD_HANDLERS = ["supplies.attachments.uploads.InMemory"]

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY: dict[str, dict[str, Any]] = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": [
            "'self'",
            "data:",
        ],  # pictures within style sheets of Swagger UI, and the code of a second factor
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
# "__Host-": the browser takes it only over TLS and from this very host, never from a neighbour of its domain.
PREFIX = "" if EMBEDDED else "__Host-"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{PREFIX}sessionid", f"{PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{PREFIX}django_language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not EMBEDDED
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 31_536_000
# A message may hold a telephone number for once: it waits in the session, never in a cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
if not EMBEDDED:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]  # asked from inside, where there is no TLS
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=True)
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["upgrade-insecure-requests"] = True


def rates(limit: str, stranger: str, account: str, token: str) -> dict[str, str]:
    """How often who may come to a class of routes (config/limits.py); LIMIT_… of the environment gives all three."""
    given: list[str] = env.list(
        f"LIMIT_{limit.upper().replace('-', '_')}", default=[stranger, account, token]
    )
    try:
        found = dict(zip(("stranger", "account", "token"), given, strict=True))
        for each in found.values():
            parse(each)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"The limit of {limit!r} wants three rates, for strangers, accounts and tokens, as 60/minute,120/minute,600/minute."
        ) from error
    return found


# A stranger is a network: a hospital behind one address is one stranger.
LIMITS = {
    "browse": rates("browse", "600/minute", "600/minute", "1200/minute"),
    "search": rates("search", "120/minute", "240/minute", "600/minute"),
    "track": rates("track", "60/minute", "120/minute", "600/minute"),
    "write": rates("write", "120/minute", "120/minute", "600/minute"),
    "sign-in": rates("sign-in", "60/minute", "60/minute", "60/minute"),
    "sign-up": rates("sign-up", "60/hour", "60/hour", "60/hour"),
    "reset": rates("reset", "20/hour", "20/hour", "20/hour"),
    # Who looks at the form and sends it comes twice.
    "report": rates("report", "20/hour", "60/hour", "60/hour"),
    "reveal": rates("reveal", "10/hour", "120/hour", "120/hour"),
    "export": rates("export", "20/hour", "60/hour", "120/hour"),
    "download": rates("download", "120/hour", "240/hour", "600/hour"),
    "docs": rates("docs", "60/minute", "60/minute", "60/minute"),
    # A carrier that was away comes back with all it has; whoever holds no secret is refused before anything is looked up.
    "hooks": rates("hooks", "6000/minute", "6000/minute", "6000/minute"),
    "desk": rates("desk", "60/minute", "600/minute", "60/minute"),
    "watching": rates("watching", "600/minute", "600/minute", "600/minute"),
}
LIMITS_TIMES: int = max(
    1, env.int("LIMITS_TIMES", default=1)
)  # for tests and benches, which are one busy stranger
SHED_AFTER_SECONDS: float = env.float("SHED_AFTER_SECONDS", default=1.5)
# Since it reached a proxy, whose clock may be another than ours.
SHED_PROXIED_AFTER_SECONDS: float = env.float("SHED_PROXIED_AFTER_SECONDS", default=10.0)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.api_tokens.TokenAuthentication",
        "supplies.organisations.tokens.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticatedOrReadOnly",
        "supplies.organisations.tokens.HasScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["config.api_output.Renderer"],
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS would list choices; the document tells what may be sent
    "DEFAULT_PARSER_CLASSES": ["config.api_input.StrictJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["config.api_input.StrictFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "config.api_input.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api_errors.answer",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tongzhou API",
    "DESCRIPTION": "Needs, offers, matches and shipments of medical supplies in an emergency.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # A table of contents first: whatever stands below the window is not drawn, so that nobody would find it by searching the page.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "filter": True},
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["config.api_schema.only_v1"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api_schema.describe_errors",
        "config.api_schema.describe_headers",
        "config.api_schema.describe_missing_addresses",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AnnouncementKind": "supplies.announcements.models.Kind",
        "AttachmentKind": "supplies.attachments.models.Kind",
        "DeviationKind": "matching.models.DeviationKind",
        "DeviationReason": "matching.models.DeviationReason",
        "ChangeRequestKind": "supplies.change_requests.models.Wrong",
        "ChangeRequestStatus": "supplies.change_requests.models.ChangeRequestStatus",
        "AllocationStatus": "supplies.allocations.models.AllocationStatus",
        "EmergencyPhase": "supplies.emergencies.models.Phase",
        "NeedStatus": "supplies.needs.models.NeedStatus",
        "NewsGroup": "supplies.notices.inbox.Group",
        "NewsHow": "supplies.notices.inbox.How",
        "OfferStatus": "supplies.offers.models.OfferStatus",
        "LoadStatus": "supplies.loads.models.LoadStatus",
        "UnitKind": "supplies.shipments.units.UnitKind",
        "QuantityKind": "supplies.needs.models.QuantityKind",
        "BatchStatus": "supplies.intake.models.BatchStatus",
        "StagedStatus": "supplies.intake.models.StagedStatus",
        "StagedVerdict": "supplies.intake.models.Verdict",
        "WebhookStatus": "supplies.notices.models.EndpointStatus",
        "WebhookDeliveryStatus": "supplies.notices.models.DeliveryStatus",
        "WebhookProblem": "supplies.notices.models.Problem",
        "CallOutcome": "supplies.organisations.verification.CallOutcome",
        "PostStatus": "supplies.needs.models.AppealStatus",
        "ProposalStatus": "matching.models.ProposalStatus",
        "RevealGround": "supplies.privacy.models.Ground",
        "RevealPurpose": "supplies.privacy.models.Purpose",
        "RunStatus": "matching.models.RunStatus",
        "SenderKind": "supplies.needs.models.SenderKind",
        "SightingStatus": "supplies.shipments.tracking.SightingStatus",
        "EventOutcome": "supplies.carriers.api.OUTCOMES",
        "ShipmentStatus": "supplies.shipments.models.ShipmentStatus",
        "TicketOutcome": "supplies.receipts.models.Outcome",
        "TicketStatus": "supplies.receipts.models.TicketStatus",
        "StandardStatus": "supplies.catalogue.models.StandardStatus",
        "Verdict": "supplies.organisations.verification.Verdict",
        "Verified": "supplies.organisations.models.Verified",
    },
}

# Who hears of what: a journal event of this kind is handed to these functions by the dispatcher.
JOURNAL_LISTENERS: dict[str, list[str]] = {
    "need.opened": ["matching.services.hear"],
    "need.reopened": ["matching.services.hear"],
    "need.short": ["matching.services.hear"],
    "need.changed": ["matching.services.reconsider"],
    "need.withdrawn": ["matching.services.withdraw_for_need"],
    "need.lapsed": ["matching.services.withdraw_for_need"],
    "need.met": ["matching.services.withdraw_for_need"],
    "offer.withdrawn": ["matching.services.withdraw_for_offer"],
    "offer.lapsed": ["matching.services.withdraw_for_offer"],
    "offer.opened": ["matching.services.hear"],
    "offer.changed": ["matching.services.hear", "matching.services.reconsider"],
    "proposal.declined": ["matching.services.hear"],
    "proposal.expired": ["matching.services.hear"],
    "proposal.made_by_hand": ["matching.services.reconsider"],
    "proposal.withdrawn": ["matching.services.hear"],
    "allocation.released": ["matching.services.hear"],
    "allocation.returned": ["matching.services.hear"],
    "allocation.credited": ["matching.services.hear"],
    "allocation.rerouted": ["matching.services.hear", "matching.services.reconsider"],
    "shipment.booked": ["supplies.carriers.services.hear_of_booked"],
    "shipment.said_delivered": ["supplies.carriers.services.hear_of_delivered"],
    "facility.resumed": ["matching.services.hear_of_facility"],
}
# What follows in the same transaction as what happened, whoever did it; a follower that refuses undoes both.
JOURNAL_FOLLOWERS: dict[str, list[str]] = {
    "facility.paused": ["matching.services.withdraw_for_facility"],
    "shipment.merged": ["supplies.notices.following.move"],
    "change_request.accepted": ["supplies.duplicates.services.propose_reported"],
}

# What webhooks can be told of; who of them is, is decided in supplies/notices/telling.py.
WEBHOOK_KINDS: list[str] = [
    "shipment.made",
    "shipment.booked",
    "shipment.planned",
    "shipment.split",
    "shipment.merged",
    "shipment.reassigned",
    "shipment.departed",
    "shipment.seen",
    "shipment.at_hub",
    "shipment.left_hub",
    "shipment.rerouted",
    "shipment.arrived",
    "shipment.delivered",
    "shipment.accepted",
    "shipment.partly_accepted",
    "shipment.refused",
    "shipment.recounted",
    "shipment.returning",
    "shipment.returned",
    "shipment.lost",
    "shipment.cancelled",
    "shipment.joined",
    "shipment.settled",
    "load.made",
    "load.filled",
    "load.emptied",
    "load.departed",
    "load.arrived",
    "load.delivered",
    "load.cancelled",
    "ticket.opened",
    "ticket.reminded",
    "ticket.answered",
    "ticket.settled",
    "need.opened",
    "need.changed",
    "need.short",
    "need.reopened",
    "need.met",
    "need.withdrawn",
    "need.lapsed",
    "donation.posted",
    "donation.published",
    "donation.refused",
    "donation.withdrawn",
    "donation.closed",
    "allocation.made",
    "allocation.shipped",
    "allocation.settled",
    "allocation.released",
    "allocation.returned",
]
for _kind in WEBHOOK_KINDS:
    JOURNAL_LISTENERS.setdefault(_kind, []).append("supplies.notices.telling.hear")
# What those are told by mail who follow one shipment; in which words, is said in supplies/notices/following.py.
for _kind in (
    "shipment.departed",
    "shipment.arrived",
    "shipment.delivered",
    "shipment.accepted",
    "shipment.partly_accepted",
    "shipment.refused",
    "shipment.recounted",
    "shipment.returning",
    "shipment.returned",
    "shipment.lost",
    "shipment.cancelled",
    "shipment.merged",
    "shipment.rerouted",
    "facility.paused",
):
    JOURNAL_LISTENERS.setdefault(_kind, []).append("supplies.notices.following.hear")
# What people are told of in their inbox and beyond; who of them, is said in supplies/notices/kinds.py.
for _kind in (
    *("proposal.approved", "proposal.agreed", "proposal.declined", "proposal.withdrawn", "proposal.expired"),
    *("proposal.to_answer", "allocation.released", "allocation.to_hand_over"),
    *("appeal.published", "appeal.refused", "appeal.waits", "need.met", "need.lapsed", "need.reminded"),
    *("donation.published", "donation.refused", "donation.waits", "offer.lapsed"),
    *("shipment.booked", "shipment.departed", "shipment.arrived", "shipment.delivered", "shipment.accepted"),
    *(
        "shipment.partly_accepted",
        "shipment.refused",
        "shipment.returning",
        "shipment.lost",
        "shipment.cancelled",
        "shipment.joined",
    ),
    *("shipment.rerouted", "shipment.fell_silent", "shipment.to_hand_over", "shipment.to_count"),
    *("shipment.planned", "shipment.reassigned", "shipment.at_hub", "shipment.left_hub"),
    *("shipment.recounted", "load.made", "load.filled", "load.emptied", "load.cancelled"),
    *(
        "ticket.opened",
        "ticket.answered",
        "ticket.settled",
        "ticket.reminded",
        "thanks.said",
        "facility.paused",
    ),
    *("organisation.verified", "organisation.refused", "organisation.enrolled", "organisation.manager_made"),
):
    JOURNAL_LISTENERS.setdefault(_kind, []).append("supplies.notices.concerning.hear")
for _kind in ("need.opened", "need.reopened", "offer.opened"):
    JOURNAL_LISTENERS.setdefault(_kind, []).append("supplies.notices.watching.hear")
# Rows of higher concepts that people are told of, and what of theirs somebody is reminded of.
NOTICE_SUBJECTS: dict[str, str] = {"proposal": "matching.telling.PROPOSAL"}
# Which offers may serve which needs: the rule is matching's, and a hospital's saved search over offers goes by it.
SATISFIED = "matching.fitting.satisfied"
# What goods of an item and a standard may be given for, by the same rule.
SERVES = "matching.fitting.serves"
REMINDERS: dict[str, str] = {"proposal.to_answer": "matching.telling.to_answer"}
DIGEST_HOUR: int = env.int("DIGEST_HOUR", default=8)  # in each reader's own time zone
if not 0 <= DIGEST_HOUR <= 23:
    raise ImproperlyConfigured("DIGEST_HOUR has to be an hour of the day, 0 to 23.")
NOTICES_KEPT_DAYS: int = env.int("NOTICES_KEPT_DAYS", default=90)
# Where robots of chats are spoken to: their official hosts and no other. Others are for tests, and have to be named in
# ROBOT_HOSTS ("127.0.0.1:9000") too, where they are private or without TLS.
ROBOT_SITES: dict[str, str] = {
    "wecom": env.str("WECOM_SITE", default="https://qyapi.weixin.qq.com"),
    "dingtalk": env.str("DINGTALK_SITE", default="https://oapi.dingtalk.com"),
}
ROBOT_HOSTS: list[str] = env.list("ROBOT_HOSTS", default=[])
# Hosts with their port ("127.0.0.1:9000") that webhooks may be sent to though they are private or without TLS: a receiver on the
# same machine, for a demonstration or a test.
WEBHOOK_HOSTS: list[str] = env.list("WEBHOOK_HOSTS", default=[])

# What is sealed outside of sealed columns, such as files: dotted paths of objects with keys_in_use() -> {key id: how many}
# and seal_anew() -> how many, for the start's check and for `rotate_field_keys`.
SEALED_ELSEWHERE: list[str] = []
# How many different people's contacts an account may be shown in 24 hours; a desk calls many, a side of a match few.
REVEALS_A_DAY: int = env.int("REVEALS_A_DAY", default=30)
REVEALS_A_DAY_AT_THE_DESK: int = env.int("REVEALS_A_DAY_AT_THE_DESK", default=300)

# Open data: where its dumps lie (web and worker read and write the same place), who we are to others, under which licence.
OPEN_DATA_DIR = Path(env.str("OPEN_DATA_DIR", default=str(STATE_DIR / "open")))
OPEN_DATA_INSTANCE: str = env.str(
    "OPEN_DATA_INSTANCE", default=""
)  # an address of ours; else the key names us
# A sheet is written as a whole before its first byte is sent. XLSX itself ends at 1,048,576 rows.
OPEN_DATA_SHEET_ROWS: int = env.int("OPEN_DATA_SHEET_ROWS", default=100_000)
OPEN_DATA_KEEP_DAYS: int = env.int("OPEN_DATA_KEEP_DAYS", default=30)
OPEN_DATA_LICENCE: str = env.str("OPEN_DATA_LICENCE", default="CC-BY-4.0")
OPEN_DATA_LICENCE_URL: str = env.str(
    "OPEN_DATA_LICENCE_URL", default="https://creativecommons.org/licenses/by/4.0/"
)
# Outlines of provinces for the map: a GeoJSON file of the operator's with its number of approval (docs/operations.md).
MAP_OUTLINES: str = env.str("MAP_OUTLINES", default="")
# Federation: hosts with their port ("10.0.0.8:8000") that other instances may be read from though they are private or without TLS.
FEDERATION_HOSTS: list[str] = env.list("FEDERATION_HOSTS", default=[])

# The GS1 company prefix of the operator, from which the numbers of parcels (SSCC) are made. Without one, parcels carry the
# number that their sender put on them, or none.
GS1_PREFIX: str = env.str("GS1_PREFIX", default="")
if GS1_PREFIX and not re.fullmatch(r"[0-9]{4,12}", GS1_PREFIX, re.ASCII):
    raise ImproperlyConfigured(
        "GS1_PREFIX has to be 4 to 12 digits, as GS1 gave them to you; or leave it out."
    )

# Carriers: how long webhooks are kept as they came, and an event waits for a shipment to fit before it is reported.
SILENT_DAYS: int = env.int("SILENT_DAYS", default=3)  # without a carrier's word, after which the desk asks
PARKED_DAYS: int = env.int("PARKED_DAYS", default=30)
CARRIERS_POLLED: bool = env.bool("CARRIERS_POLLED", default=False)  # ask carriers by ourselves
KUAIDI100_QUERY: str = env.str("KUAIDI100_QUERY", default="https://poll.kuaidi100.com/poll/query.do")

CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# kombu looks for lost messages at every tick of 5 s, not every tenth of 10 s; a job stays below 10 minutes.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
    "max_retries": 0,  # of connecting in order to ring; a worker comes back for ever by settings of its own
    "retry_policy": {"timeout": 3.0},
}
MATCH_EVERY_MINUTES: int = env.int("MATCH_EVERY_MINUTES", default=30)
MATCH_LEASE_SECONDS: int = env.int("MATCH_LEASE_SECONDS", default=60)
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "journal-sweep": {"task": "journal.dispatch", "schedule": 15.0},
    "journal-mail": {"task": "journal.carry_mail", "schedule": 15.0},
    "journal-forget": {"task": "journal.forget", "schedule": crontab(hour=3, minute=20)},
    "journal-seals": {"task": "journal.seal", "schedule": 60.0},
    "journal-verification": {"task": "journal.verify", "schedule": 86_400.0},
    "carriers-sweep": {"task": "carriers.sweep", "schedule": 60.0},
    "carriers-forget": {"task": "carriers.forget", "schedule": crontab(hour=3, minute=30)},
    "carriers-poll": {"task": "carriers.poll", "schedule": 600.0},
    "intake-sweep": {"task": "intake.sweep", "schedule": 15.0},
    "matching-sweep": {"task": "matching.sweep", "schedule": 15.0},
    "matching-timetable": {"task": "matching.match_all", "schedule": MATCH_EVERY_MINUTES * 60.0},
    "deadlines": {"task": "desks.end_what_is_over", "schedule": 300.0},
    "probe": {"task": "site.probe", "schedule": 15.0, "options": {"expires": 60}},
    "once-a-day": {"task": "desks.once_a_day", "schedule": 86_400.0},
    "counts": {"task": "desks.count_open_needs", "schedule": 60.0},
    "where-it-went": {"task": "matching.count_where_it_went", "schedule": 600.0},
    "open-data": {"task": "opendata.publish", "schedule": crontab(hour=3, minute=40)},
    "webhooks": {"task": "notices.carry", "schedule": 15.0},
    "notices": {"task": "notices.tell", "schedule": 15.0},
    "reminders": {"task": "notices.remind", "schedule": 300.0},
    "webhooks-forget": {"task": "notices.forget", "schedule": crontab(hour=3, minute=30)},
    "federation": {"task": "federation.pull", "schedule": crontab(minute=25)},
}

LOGGING_CONFIG = "config.logs.configure"
LOGGING = logging_config(as_words=EMBEDDED, level=env.str("LOG_LEVEL", default="INFO"))
