"""What the API says beside every answer."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer


class Renderer(JSONRenderer):
    """JSON; what the sender of a post has to be told, such as a telephone number in a remark, stands in `warnings`."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = renderer_context or {}
        told = getattr(getattr(context.get("request"), "_request", None), "told_beside_the_answer", None)
        if told and isinstance(data, dict) and context["response"].status_code < 300:
            data = {**data, "warnings": told}
        return super().render(data, accepted_media_type, renderer_context)
