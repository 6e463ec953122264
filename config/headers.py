"""What every answer carries, errors and static files included: how a browser may treat it, and who may keep it.

The content security policy is django-csp's (settings.CONTENT_SECURITY_POLICY). Scripts and styles come from our own files
only; a page that needs another rule sets its own header, and a test finds it.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from config.requests import Handler
from config.routes import STATIC, name_of

HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

CAMERA = {
    "dock",
    "dock-shipment",
}  # pages that ask for it; nothing of theirs is sent but the code that was read

# Which answers to strangers anybody may keep, by seconds: what administrators change, and what changes all day.
# Pages hold a visitor's own form token, so none is here.
KEPT = {
    300: """
        api-schema region-list region-detail category-list category-detail item-list item-detail
        standard-list standard-detail emergency-list emergency-detail
        open-key open-manifest open-signature open-dump open-dictionary-json fhir-metadata fhir-definition
        """,
    15: "need-list need-detail appeal-list appeal-detail offer-list offer-detail open-file fhir-requests fhir-request",
}
PUBLIC = {route: seconds for seconds, routes in KEPT.items() for route in routes.split()}


class SecureHeaders:
    """Outside everything that may answer, so that nothing is answered without them."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.headers = dict(HEADERS)
        if seconds := settings.SECURE_HSTS_SECONDS:
            subdomains = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
            preload = "; preload" if settings.SECURE_HSTS_PRELOAD else ""
            self.headers["Strict-Transport-Security"] = f"max-age={seconds}{subdomains}{preload}"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        if name_of(request) in CAMERA:
            response["Permissions-Policy"] = HEADERS["Permissions-Policy"].replace(
                "camera=()", "camera=(self)"
            )
        choose_keeping(request, response)
        return response


def choose_keeping(request: HttpRequest, response: HttpResponse) -> None:
    """Nobody keeps an answer, unless it is on the list and the same for every stranger, or a static file."""
    route = name_of(request)
    if route == STATIC and response.status_code in (200, 206, 304):
        return  # WhiteNoise has said for how long
    seconds = PUBLIC.get(route) if is_for_everybody(request, response) else None
    if seconds is None:
        response["Cache-Control"] = "private, no-store"
    else:
        response["Cache-Control"] = f"public, max-age={seconds}"
        patch_vary_headers(response, ("Accept", "Accept-Language", "Authorization", "Cookie"))


def is_for_everybody(request: HttpRequest, response: HttpResponse) -> bool:
    """Asked by somebody who showed nothing of herself, answered well, and leaving nothing with her."""
    shown = "HTTP_AUTHORIZATION" in request.META or bool(request.COOKIES)
    kept_back = "no-store" in response.headers.get("Cache-Control", "") or bool(response.cookies)
    return (
        request.method in ("GET", "HEAD")
        and response.status_code in (200, 304)
        and not shown
        and not kept_back
    )
