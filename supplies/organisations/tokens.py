"""`Authorization: Token tz_…`: a program acts as its user, within the token's scopes."""

from typing import Any, cast

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from supplies.organisations.models import ApiToken, Scope, User


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"token":
            return None
        try:
            digest = ApiToken.digest_of(secret.decode("ascii").strip())
        except UnicodeDecodeError:
            raise AuthenticationFailed(_("This token is not valid.")) from None
        token = (
            ApiToken.objects.valid(timezone.now())
            .select_related("user")
            .filter(digest=digest, user__is_active=True)
            .first()
        )
        if token is None:
            raise AuthenticationFailed(_("This token is not valid."))
        if token.user.language in dict(settings.LANGUAGES):
            translation.activate(token.user.language)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"


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
