"""The site's settings. What varies comes from the environment; production refuses weak defaults.

EMBEDDED=1 is set by the launcher: it has made the keys and the servers itself, on this machine only.
Without it the settings are those of production and every secret has to be given.
"""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

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
        "OPTIONS": {"options": "-c lock_timeout=5000 -c idle_in_transaction_session_timeout=300000"},
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

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if EMBEDDED else [])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS is missing. Name the hosts the site is served under, separated by commas."
    )
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=0)  # how many proxies of ours stand before the site

DATABASES = {"default": database(required("DATABASE_URL") or "postgres:///tongzhou")}
BROKER_URL = required("BROKER_URL") or "redis://"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": required("CACHE_URL") or "redis://",
        "KEY_PREFIX": "tongzhou",
    }
}

INSTALLED_APPS = [
    "config.admin_site.DeskConfig",  # django.contrib.admin, with our first page
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "supplies",
    "matching",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.requests.RefuseUnreadableText",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.requests.ChooseLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
        },
    }
]

AUTH_USER_MODEL = "supplies.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "supplies.organisations.forms.LongEnough", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
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

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
# A message may hold a telephone number for once: it waits in the session, never in a cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
if not EMBEDDED:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = 31_536_000
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "supplies.organisations.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticatedOrReadOnly",
        "supplies.organisations.tokens.HasScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
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
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["config.api_schema.only_v1"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api_schema.describe_errors",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AllocationStatus": "supplies.allocations.models.AllocationStatus",
        "EmergencyPhase": "supplies.emergencies.models.Phase",
        "NeedStatus": "supplies.needs.models.NeedStatus",
        "OfferStatus": "supplies.offers.models.OfferStatus",
        "PostStatus": "supplies.needs.models.AppealStatus",
        "ProposalStatus": "matching.models.ProposalStatus",
        "RunStatus": "matching.models.RunStatus",
        "SenderKind": "supplies.needs.models.SenderKind",
        "ShipmentStatus": "supplies.shipments.models.ShipmentStatus",
        "StandardStatus": "supplies.catalogue.models.StandardStatus",
        "Verified": "supplies.organisations.models.Verified",
    },
}

# Who hears of what: a journal event of this kind is handed to these functions by the dispatcher.
JOURNAL_LISTENERS: dict[str, list[str]] = {
    "need.opened": ["matching.services.hear"],
    "need.reopened": ["matching.services.hear"],
    "need.short": ["matching.services.hear"],
    "need.withdrawn": ["matching.services.withdraw_for_need"],
    "need.lapsed": ["matching.services.withdraw_for_need"],
    "need.met": ["matching.services.withdraw_for_need"],
    "offer.withdrawn": ["matching.services.withdraw_for_offer"],
    "offer.lapsed": ["matching.services.withdraw_for_offer"],
    "offer.opened": ["matching.services.hear"],
    "allocation.released": ["matching.services.hear"],
    "allocation.returned": ["matching.services.hear"],
    "facility.paused": ["matching.services.withdraw_for_facility"],
    "facility.resumed": ["matching.services.hear_of_facility"],
}

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
    "socket_connect_timeout": 5,
    "retry_policy": {"timeout": 3.0},
}
MATCH_EVERY_MINUTES: int = env.int("MATCH_EVERY_MINUTES", default=30)
MATCH_LEASE_SECONDS: int = env.int("MATCH_LEASE_SECONDS", default=60)
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "journal-sweep": {"task": "journal.dispatch", "schedule": 15.0},
    "matching-sweep": {"task": "matching.sweep", "schedule": 15.0},
    "matching-timetable": {"task": "matching.match_all", "schedule": MATCH_EVERY_MINUTES * 60.0},
    "deadlines": {"task": "desks.end_what_is_over", "schedule": 300.0},
    "counts": {"task": "desks.count_open_needs", "schedule": 60.0},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django.request": {"level": "ERROR"}},
}
