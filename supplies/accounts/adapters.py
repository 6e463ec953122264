"""Where django-allauth asks what is done here: its settings name these two classes."""

from base64 import b64decode, b64encode
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supplies.accounts.devices import remember_browser
from supplies.accounts.numbers import shown
from supplies.accounts.sessions import begin, browser_of
from supplies.organisations.models import User
from supplies.organisations.visitors import is_own_page
from supplies.sealing import seal, unseal

SECRETS = "mfa_authenticator:data"  # pragma: allowlist secret # what sealed secrets are bound to


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "duplicate_email": _("You sign in with this address already."),
        "email_taken": _("Another account uses this address. Sign in to that one, or take another address."),
        "incorrect_code": _("This code is wrong. Compare it with the mail."),
        "too_many_login_attempts": _("The code was wrong too often. Ask for a new one."),
    }

    def get_login_stages(self) -> list[str]:
        """After the password: the second factor, where there is one. An e-mail address is nobody's duty."""
        return ["allauth.mfa.stages.AuthenticateStage"]

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        super().login(request, user)
        begin(
            request.session,
            browser=browser_of(request.headers.get("user-agent", "")),
            at=timezone.now(),
        )

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **details: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **details)
        assert isinstance(user, User)
        remember_browser(request, response, user)
        return response

    def is_safe_url(self, url: str) -> bool:
        """Onwards only within this site."""
        request = self.request
        return is_own_page(request, url)

    def is_ajax(self, request: HttpRequest) -> bool:
        """Pages only: allauth's answers in JSON would be a second way in."""
        return False

    def add_message(
        self, request: HttpRequest, level: int, *args: Any, message: str | None = None, **more: Any
    ) -> None:
        """The views say what has happened in this site's own words; allauth's templates stay silent."""
        if message:
            messages.add_message(request, level, message)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """allauth's occasions, our words: account/email/password_changed is accounts/mail/password_changed."""
        super().send_mail(f"accounts/mail/{template_prefix.rpartition('/')[2]}", email, context)

    def get_reset_password_from_key_url(self, key: str) -> str:
        account, _dash, token = key.partition("-")
        path = reverse("account_reset_password_from_key", args=[account, token])
        return str(self.request.build_absolute_uri(path))

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        return reverse("account")

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """To the address of the account; that it was removed, to the one that was."""
        email = email or (context or {}).get("deleted_email")
        super().send_notification_mail(template_prefix, user, context, email)

    def get_client_ip(self, request: HttpRequest) -> str:
        return ""  # no mail of ours tells it, and tries are counted elsewhere

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        return [{"id": "reauthenticate", "description": "", "url": reverse("confirm")}]


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of authenticator apps and the seed of recovery codes are sealed like telephone numbers."""

    def encrypt(self, text: str) -> str:
        return b64encode(seal(text, context=SECRETS)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(b64decode(encrypted_text), context=SECRETS)

    def is_of_newest_key(self, encrypted_text: str) -> bool:
        key, _colon, _rest = b64decode(encrypted_text).partition(b":")
        return key.decode() == settings.FIELD_KEYS[0].partition(":")[0]

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return shown(user.get_username())
