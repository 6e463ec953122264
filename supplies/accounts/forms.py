"""What is typed to open an account, to sign in to it, to secure it, and to let others act with theirs."""

import unicodedata
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import structlog
from allauth.account import forms as machinery
from allauth.account.adapter import get_adapter
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from django import forms
from django.contrib.auth.password_validation import MinimumLengthValidator, validate_password
from django.core import signing
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.accounts.backoff import CODE, PASSWORD, HeldUp, begin_try, within
from supplies.accounts.models import SecondFactor
from supplies.accounts.numbers import SPACING, as_name, is_mistyped, shown
from supplies.accounts.services import account_called, account_with, draw_number, is_password_of, use_code
from supplies.errors import Refused
from supplies.organisations.keys import LONGEST_LIFE, Scope
from supplies.organisations.models import User
from supplies.organisations.permissions import usable_scopes
from supplies.organisations.roles import Role
from supplies.organisations.services import TOKEN_LIFE

security = structlog.get_logger("security")
LONGEST_PASSWORD = 200
TICKET, TICKET_SECONDS = "account number", 3600
MAILS_AN_HOUR = 3  # to one address; and codes asked for by one account


class LongEnough(MinimumLengthValidator):
    """Django's rule in words that are translated here."""

    def get_error_message(self) -> str:
        return gettext("This password is too short: it needs at least %(number)d characters.") % {
            "number": self.min_length
        }

    def get_help_text(self) -> str:
        return gettext("At least %(number)d characters.") % {"number": self.min_length}


class PasswordField(forms.CharField):
    """A password as it is typed, spaces and all."""

    def __init__(self, *, autocomplete: str, **options: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
        super().__init__(strip=False, max_length=LONGEST_PASSWORD, widget=widget, **options)


class TriesForm(forms.Form):
    """A form that asks for a secret: what is wrong is counted, and after too much of it one has to wait.

    held_for   seconds to wait, where the secret was not even looked at
    """

    held_for = 0

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def counted(self, secret: str, look: Callable[[], bool], *, name: str, user: User | None) -> bool:
        """Whether the secret is right. Raises ValidationError without looking where one has to wait."""
        request: HttpRequest = context.request
        try:
            this = begin_try(request, secret, name=name, user=user)
        except HeldUp as held:
            self.held_for = held.seconds
            security.warning("sign-in held up", secret=secret)
            raise forms.ValidationError(str(held.detail), code=held.code) from held
        right = look()
        if right:
            this.succeeded()
        else:
            security.warning("sign-in failed", secret=secret, account=user.pk if user else None)
        return right

    def own_password(self, field: str) -> str:
        """The password of whoever is signed in, typed once more."""
        password: str = self.cleaned_data[field]
        user = self.user
        assert user is not None
        if not self.counted(PASSWORD, lambda: is_password_of(user, password), name=user.username, user=user):
            raise forms.ValidationError(_("This is not your password. Try again."), code="wrong")
        return password


class SignInForm(TriesForm):
    username = forms.CharField(
        label=_("Account number or e-mail address"),
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )
    password = PasswordField(label=_("Password"), autocomplete="current-password")

    def clean_username(self) -> str:
        name = as_name(self.cleaned_data["username"])
        if is_mistyped(name):
            raise forms.ValidationError(
                _("A digit of this number is wrong. Compare it with the one you kept."), code="mistyped"
            )
        return name

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return self.cleaned_data
        name, password = self.cleaned_data["username"], self.cleaned_data["password"]
        self.user = account_called(name)
        if not self.counted(PASSWORD, lambda: is_password_of(self.user, password), name=name, user=self.user):
            raise forms.ValidationError(
                _("Wrong account number or password. Check both and try again."),
                code="wrong",
            )
        return self.cleaned_data


class ConfirmForm(TriesForm):
    """Once more, by whoever is signed in."""

    password = PasswordField(label=_("Password"), autocomplete="current-password")

    def clean_password(self) -> str:
        return self.own_password("password")


class CodeForm(TriesForm):
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
        help_text=_("Six digits from your authenticator app, or one of your recovery codes."),
    )
    factor: SecondFactor

    def clean_code(self) -> str:
        code = plain_code(self.cleaned_data["code"])
        user = self.user
        assert user is not None

        def look() -> bool:
            try:
                self.factor = use_code(user, code, at=timezone.now())
            except Refused as refusal:
                self.refusal = refusal
                return False
            return True

        if not self.counted(CODE, look, name=user.username, user=user):
            raise forms.ValidationError(str(self.refusal.detail), code=self.refusal.code)
        return code


class FirstCodeForm(forms.Form):
    """The proof that the app knows the secret."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text=_("The six digits your app shows now."),
    )

    def clean_code(self) -> str:
        return plain_code(self.cleaned_data["code"])


def plain_code(typed: str) -> str:
    return SPACING.sub("", unicodedata.normalize("NFKC", typed))


class NewPasswordForm(forms.Form):
    """A password typed twice, judged by the rules of the settings."""

    password1 = PasswordField(
        label=_("New password"),
        autocomplete="new-password",
        help_text=_("At least ten characters; three words you remember are good."),
    )
    password2 = PasswordField(label=_("The same password again"), autocomplete="new-password")

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        kwargs.pop("temp_key", None)  # allauth's, for the link of a reset
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        validate_password(password, self.whose())
        return password

    def clean_password2(self) -> str:
        first, second = self.cleaned_data.get("password1"), str(self.cleaned_data["password2"])
        if first and first != second:
            raise forms.ValidationError(_("The two passwords are not the same."))
        return second

    def whose(self) -> User | None:
        return self.user

    def save(self) -> None:
        get_adapter().set_password(self.user, self.cleaned_data["password1"])


def number_of(ticket: str) -> str:
    """The number this site has drawn and signed; empty for any other."""
    try:
        return str(signing.loads(ticket, salt=TICKET, max_age=TICKET_SECONDS))
    except signing.BadSignature:
        return ""


class SignUpForm(NewPasswordForm):
    """An account takes a password; the name is given. Only a number that this site has just drawn is accepted back."""

    username = forms.CharField(
        label=_("Your account number"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "username", "readonly": True, "class": "number"}),
        help_text=_("You sign in with it. Keep it together with your password; nobody else sees it."),
    )
    ticket = forms.CharField(widget=forms.HiddenInput)

    field_order = ["username", "password1", "password2", "ticket"]

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        self.returned = None if data is None else data.copy()
        super().__init__(self.returned, **kwargs)
        self.fields["password1"].label = _("Password")
        if self.returned is None:
            self.initial.update(self.drawn())
            return
        self.number = number_of(self.returned.get("ticket", ""))
        self.returned["username"] = shown(self.number)

    @staticmethod
    def drawn() -> dict[str, str]:
        number = draw_number()
        return {"username": shown(number), "ticket": signing.dumps(number, salt=TICKET)}

    def whose(self) -> User:
        return User(username=self.number)

    def clean(self) -> dict[str, Any]:
        if not self.number:
            self.draw_again()
        return self.cleaned_data

    def draw_again(self) -> None:
        """The form has waited too long or was sent before: it comes back with another number."""
        assert self.returned is not None
        self.returned.update(self.drawn())
        self.errors.pop("ticket", None)
        self.add_error(
            None, _("This form waited too long. Here is a new number; please type the password again.")
        )


class ChangePasswordForm(NewPasswordForm, TriesForm):
    oldpassword = PasswordField(label=_("Your password until now"), autocomplete="current-password")

    field_order = ["oldpassword", "password1", "password2"]

    def clean_oldpassword(self) -> str:
        return self.own_password("oldpassword")


class ResetForm(machinery.ResetPasswordForm):
    """Asks for a link by mail. Whether an account has the address is told to the address alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].widget.attrs.pop("placeholder")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        account = account_with(email)
        self.users = [account] if account is not None and account.is_active else []
        return email

    def save(self, request: HttpRequest, **options: Any) -> str:
        """One mail, whoever reads it, and the work of making a link for it, whether there is an account to open or not."""
        email: str = self.cleaned_data["email"]
        account = self.users[0] if self.users else None
        whose = account or User(pk=0, username="nobody")
        key = f"{user_pk_to_url_str(whose)}-{machinery.default_token_generator.make_token(whose)}"
        link = get_adapter().get_reset_password_from_key_url(key)
        if within(MAILS_AN_HOUR, "mail", email):
            occasion = "password_reset_key" if account else "unknown_account"
            get_adapter().send_mail(f"account/email/{occasion}", email, {"password_reset_url": link})
        return email


class MailForm(machinery.AddEmailForm):
    """An address to sign in with, and to reset the password. It counts once the code sent to it was typed in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].widget.attrs.pop("placeholder")

    def clean_email(self) -> str:
        email = str(super().clean_email())
        if not within(MAILS_AN_HOUR, "code", self.user.username):
            raise forms.ValidationError(_("Several codes were sent within the hour. Try again later."))
        return email


class MailCodeForm(machinery.ConfirmEmailVerificationCodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code")
        self.fields["code"].widget.attrs.pop("placeholder")


class NameForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("first_name",)
        labels = {"first_name": _("What colleagues call you")}
        help_texts = {"first_name": _("Shown to those who act for the same organisation. May stay empty.")}


class KeyForm(forms.Form):
    """A key for a program of one's own."""

    name = forms.CharField(
        label=_("What is it for?"),
        max_length=80,
        help_text=_("So that you know it again in the list: “stock program of the pharmacy”."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    expires_on = forms.DateField(
        label=_("Until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("At most a year. Then issue a new one."),
    )

    def __init__(self, *args: Any, user: User, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate(at)
        self.at, self.first, self.last = (
            at,
            today + timedelta(days=1),
            today + LONGEST_LIFE - timedelta(days=1),
        )
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(scope.value, scope.label) for scope in usable_scopes(user)]
        self.initial = {"scopes": [Scope.READ], "expires_on": today + TOKEN_LIFE, **self.initial}

    def clean_expires_on(self) -> datetime:
        """The end of that day, as the site counts days."""
        day = self.cleaned_data["expires_on"]
        if not self.first <= day <= self.last:
            raise forms.ValidationError(
                _("Choose a day from %(first)s to %(last)s.") % {"first": self.first, "last": self.last}
            )
        return timezone.make_aware(datetime.combine(day, time.max))


class InviteForm(forms.Form):
    role = forms.ChoiceField(label=_("To act as"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(role.value, role.label) for role in roles]
        self.initial = {"role": roles[0] if roles else "", **self.initial}
