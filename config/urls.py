"""Every address of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView as Reader

from config import health, metrics
from config.api_schema import Document

urlpatterns: list = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics.show, name="metrics"),
    path("api/v1/", include("config.api_v1")),
    path("api/schema/", Document.as_view(), name="api-schema"),
    path("api/docs/", Reader.as_view(url_name="api-schema", template_name="api_docs.html"), name="api-docs"),
    path("", include("supplies.urls")),
    path("", include("matching.urls")),
    path(settings.DESK_PATH, admin.site.urls),
]

handler400 = "config.mishaps.bad_request"
handler403 = "config.mishaps.permission_denied"
handler404 = "config.mishaps.page_not_found"
handler500 = "config.api_errors.server_error"
