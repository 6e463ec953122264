"""The site's routes, and some of the API that do not answer as they say: the search for odd answers has to find each."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500  # noqa: F401
from config.urls import urlpatterns as of_the_site


class Count(serializers.Serializer):
    count = serializers.IntegerField()


@extend_schema(responses=Count)
class Planted(APIView):
    serializer_class = Count

    def get(self, request: Any) -> Any:
        return Response({"count": 1})


class Breaking(Planted):
    def get(self, request: Any) -> Any:
        raise RuntimeError("planted")


class Unheard(Planted):
    def get(self, request: Any) -> Any:
        return Response({"code": "teapot", "detail": "…"}, status=418)


class Untyped(Planted):
    def get(self, request: Any) -> Any:
        return Response({"count": "one"})


class Unformed(Planted):
    def get(self, request: Any) -> Any:
        return HttpResponse("1", content_type="text/plain")


@csrf_exempt
def counts(request: HttpRequest) -> HttpResponse:
    return HttpResponse(int(request.POST["count"]))


@csrf_exempt
def echoes(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.POST["word"])


PLANTED = {
    "right": Planted,
    "breaking": Breaking,
    "unheard": Unheard,
    "untyped": Untyped,
    "unformed": Unformed,
}
urlpatterns = [
    *of_the_site,
    path("planted/counts/", counts),
    path("planted/echoes/", echoes),
    *(path(f"api/v1/planted/{name}/", view.as_view(), name=name) for name, view in PLANTED.items()),
]
