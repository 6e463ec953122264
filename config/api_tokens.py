"""Tokens, looked up once a request: first by what counts requests, before any view, then by the view."""

from typing import Any

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from supplies.organisations import tokens
from supplies.organisations.keys import ApiToken
from supplies.organisations.models import User


class TokenAuthentication(tokens.TokenAuthentication):
    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        asked: Any = getattr(request, "_request", request)  # the view holds Django's request in one of DRF's
        if not hasattr(asked, "_token_found"):
            try:
                asked._token_found = super().authenticate(request)
            except AuthenticationFailed as refusal:
                asked._token_found = refusal
        found: tuple[User, ApiToken] | AuthenticationFailed | None = asked._token_found
        if isinstance(found, AuthenticationFailed):
            raise found
        return found
