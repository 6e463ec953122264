"""The site's routes, and some that do what no route may: each generated test has to find its own."""

from typing import Any, NoReturn

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500  # noqa: F401
from config.urls import urlpatterns as of_the_site
from supplies.organisations.models import User


def broken(request: HttpRequest) -> NoReturn:
    raise RuntimeError("planted")


class Away(APIView):
    def get(self, request: Any) -> NoReturn:
        raise OperationalError("planted")


def lax(request: HttpRequest) -> HttpResponse:
    return HttpResponse("", headers={"Content-Security-Policy": "default-src *; script-src 'unsafe-inline'"})


def changes(request: HttpRequest) -> HttpResponse:
    User.objects.filter(username="root").update(first_name="planted")
    return HttpResponse("")


urlpatterns = [
    *of_the_site,
    path("planted/broken/", broken, name="planted-broken"),
    path("api/planted/broken/", broken, name="planted-broken-api"),
    path("api/planted/away/", Away.as_view(), name="planted-away"),
    path("planted/lax/", lax, name="planted-lax"),
    path("planted/changes/", changes, name="planted-changes"),
    path("planted/open/", csrf_exempt(changes), name="planted-open"),
]
