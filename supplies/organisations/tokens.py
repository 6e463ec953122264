"""Who speaks to the API: `Authorization: Token tz_…`, a program that acts as its user within the token's scopes; or a browser."""

from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from rest_framework import authentication
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from supplies.organisations.keys import ApiToken, Scope, is_whole
from supplies.organisations.models import User
from supplies.organisations.services import note_use
from supplies.organisations.visitors import lacks_second_factor


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"token":
            return None
        now = timezone.now()
        token = self.find(secret.decode("ascii", "replace").strip(), at=now)
        if token is None:
            raise AuthenticationFailed(_("This token is not valid."))
        note_use(token, on=timezone.localdate(now))
        if token.user.language in dict(settings.LANGUAGES):
            translation.activate(token.user.language)
        return token.user, token

    @staticmethod
    def find(key: str, *, at: datetime) -> ApiToken | None:
        """The token of a key, if it still opens anything. One cut off or mistyped is not even looked for."""
        if not is_whole(key):
            return None
        tokens = ApiToken.objects.valid(at).select_related("user")
        return tokens.filter(digest=ApiToken.digest_of(key)).first()

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class SessionAuthentication(authentication.SessionAuthentication):
    """A person's browser. Where a second factor is needed it opens nothing before that was used."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        if found is not None and lacks_second_factor(request._request):
            raise PermissionDenied(
                _("Sign in with your second factor first: %(address)s")
                % {"address": reverse("second-factor")},
                code="second-factor-needed",
            )
        return found


class HasScope(BasePermission):
    """A view names the scope its writes need in `scope`; reading needs any token at all."""

    def has_permission(self, request: Request, view: Any) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken):
            return True  # a person with a session has no scopes, only roles
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return bool(token.scopes)
        return getattr(view, "scope", Scope.READ) in token.scopes


def signed_in(request: Request) -> User:
    """Who asks, where the permissions have let nobody else through."""
    return cast(User, request.user)
