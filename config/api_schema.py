"""The description of the API: what programs need to know beyond the views themselves."""

from threading import Lock
from typing import Any

from django.http import HttpResponse
from django.utils.translation import get_language
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

ERRORS = {
    "400": ("Invalid", "Something that was sent is not right; `fields` says where."),
    "401": ("NotSignedIn", "Sign in, or send a valid token."),
    "403": ("NotYours", "You can see this but may not do that, or the token lacks the scope."),
    "404": ("NotFound", "There is nothing here that you can see."),
    "409": (
        "Refused",
        "It cannot be done now; `code` says why, for programs. `in-flight`: the same request is being worked on.",
    ),
    "412": ("ChangedMeanwhile", "It no longer is what you read. Read it again, and decide anew."),
    "413": ("TooLarge", "More than two million bytes."),
    "415": ("NotJson", "Send application/json."),
    "422": ("KeyReused", "The Idempotency-Key was used for another request."),
    "428": ("IfMatchNeeded", "Send the ETag of what you read as If-Match."),
    "429": ("TooMany", "You come too often; try again after the seconds in Retry-After."),
    "503": ("Busy", "Try again after the seconds in Retry-After."),
}


KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
    "description": "A word of your own for this one request, best a UUID. Sent again within seven days with the same body, it is"
    " given the answer of the first time, byte for byte, with `Idempotency-Replayed: true`, and nothing is done twice. Keep it"
    " until you have an answer: only what was done is remembered, never an error.",
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
    "description": "The ETag of what you read. Refused with 412 if it was changed meanwhile.",
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag of what you have. Answered 304 without a body while that is still right.",
}
ETAG = {"schema": {"type": "string"}, "description": "Names exactly this representation."}
REPLAYED = {
    "schema": {"type": "string", "enum": ["true"]},
    "description": "Present on an answer given again.",
}


UPDATES = ("put", "patch")


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "config.api_tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        text = "`Token tz_…`, issued on one's account page. Acts as its user, within its scopes."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": text}


class BrowserScheme(SessionScheme):
    target_class = "supplies.organisations.tokens.SessionAuthentication"


def only_v1(endpoints: list[tuple[str, ...]], **_more: Any) -> list[tuple[str, ...]]:
    """This describes version 1; the site's other addresses are not promised to anybody."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


def describe_errors(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Describe every error once, and name in each operation those it may answer."""
    components = result["components"]
    components["schemas"]["Problem"] = {
        "type": "object",
        "description": "What every error looks like.",
        "required": ["code", "detail"],
        "properties": {
            "code": {"type": "string", "description": "Stable, for programs."},
            "detail": {"type": "string", "description": "A sentence in the reader's language."},
            "fields": {
                "type": "object",
                "description": "The place of each fault, as lines.1.quantity, and what is wrong there.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
        },
    }
    components["schemas"]["Warning"] = {
        "type": "object",
        "description": "Something the sender should know about what was stored all the same.",
        "required": ["field", "detail"],
        "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {
        name: {"description": text, "content": content} for name, text in ERRORS.values()
    }
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if "requestBody" in operation:
                _describe_warnings(operation)
            for status in _possible(path, method, "requestBody" in operation):
                operation["responses"][status] = {"$ref": f"#/components/responses/{ERRORS[status][0]}"}
    return result


def describe_missing_addresses(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """A web address that is only read may be missing, which is an empty string and no address."""
    for schema in result["components"]["schemas"].values():
        for described in schema.get("properties", {}).values():
            if described.get("readOnly") and described.get("format") == "uri":
                del described["format"]
    return result


def describe_headers(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """What the gate before every view reads and writes (`config.api_once`)."""
    for operations in result["paths"].values():
        for method, operation in operations.items():
            asked: list[Any] = operation.setdefault("parameters", [])
            done = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            if method == "get":
                asked.append(IF_NONE_MATCH)
                operation["responses"]["304"] = {"description": "It still is what you have."}
            else:
                asked.append(KEY)
                _add_header(done, "Idempotency-Replayed", REPLAYED)
            if method in UPDATES:
                asked.append(IF_MATCH)
            if method in ("get", *UPDATES):
                _add_header(done, "ETag", ETAG)
    return result


def _add_header(answers: list[dict[str, Any]], name: str, described: dict[str, Any]) -> None:
    for answer in answers:
        answer.setdefault("headers", {})[name] = described


def _describe_warnings(operation: dict[str, Any]) -> None:
    """Free words that hold a private number are kept and hidden from the public; whoever sent them is told."""
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            said = (
                "The answer also holds `warnings`, a list of Warning, where free words hold a private number."
            )
            response["description"] = f"{response.get('description', '')} {said}".strip()


def _possible(path: str, method: str, has_body: bool) -> list[str]:
    found = ["400", "401", "403", "429", "503"]
    if "{" in path:
        found.append("404")
    if method != "get":
        found += ["409", "422"]
    if method in UPDATES:
        found += ["412", "428"]
    return found + (["413", "415"] if has_body else [])


class Document(SpectacularAPIView):
    """The description itself. Making it takes a second, so a process makes it once in each language and form."""

    made: dict[tuple[str, str], str | bytes] = {}
    making = Lock()  # the generator is not made for two threads

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer = request.accepted_renderer
        form = str(get_language()), renderer.media_type
        with self.making:
            if form not in self.made:
                self.made[form] = renderer.render(
                    self._get_schema_response(request).data, renderer.media_type
                )
        shown = {"Content-Disposition": f'inline; filename="tongzhou.{renderer.format}"'}
        return HttpResponse(
            self.made[form], content_type=f"{renderer.media_type}; charset=utf-8", headers=shown
        )
