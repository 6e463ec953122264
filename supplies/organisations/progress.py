"""Long work somebody waits for: how far it is, on pages of the desk that look again by themselves until it has ended."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from supplies.organisations.desk import DeskAdmin


@dataclass(frozen=True)
class Progress:
    """How much is done, in words and as a bar; `total` is None until it is known how much there is."""

    told: str
    done: int = 0
    total: int | None = None


class LongWork(DeskAdmin):
    """A desk of rows that are long work. Their page shows the bar; asked for by the bar, it answers with the bar alone."""

    def progress_of(self, row: Any) -> Progress | None:
        """None where nothing is under way, or not any more."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method == "GET" and request.htmx:  # type: ignore[attr-defined]
            return self.bar_view(request, object_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def bar_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The bar alone; once the work has ended, the page that shows it is to be read anew."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        progress = self.progress_of(row)
        answer = TemplateResponse(
            request, "admin/_progress.html", {"progress": progress, "progress_url": request.path}
        )
        if progress is None:
            answer["HX-Refresh"] = "true"
        return answer

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (row := kwargs.get("obj")) is not None:
            context |= {"progress": self.progress_of(row), "progress_url": request.path}
        return super().render_change_form(request, context, *args, **kwargs)
