from typing import Any

import structlog
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

security = structlog.get_logger("security")


class SiteConfig(AppConfig):
    """The site itself: what it writes down about people coming in and about tasks."""

    name = "config"
    verbose_name = "Site"

    def ready(self) -> None:
        import config.task_log  # noqa: F401  (its receivers connect themselves)

        user_logged_in.connect(_signed_in)
        user_logged_out.connect(_signed_out)
        user_login_failed.connect(_failed_to_sign_in)


def _signed_in(user: Any, **_more: Any) -> None:
    security.info("signed in", account=user.pk)


def _signed_out(user: Any, **_more: Any) -> None:
    security.info("signed out", account=getattr(user, "pk", None))


def _failed_to_sign_in(**_more: Any) -> None:
    security.warning("sign-in failed")  # the name that was typed may be a password typed into the wrong box
