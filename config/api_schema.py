"""The description of the API: what programs need to know beyond the views themselves."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

ERRORS = {
    "400": ("Invalid", "Something that was sent is not right; `fields` says where."),
    "401": ("NotSignedIn", "Sign in, or send a valid token."),
    "403": ("NotYours", "You can see this but may not do that, or the token lacks the scope."),
    "404": ("NotFound", "There is nothing here that you can see."),
    "409": ("Refused", "It cannot be done now; `code` says why, for programs."),
    "413": ("TooLarge", "More than two million bytes."),
    "415": ("NotJson", "Send application/json."),
    "429": ("TooMany", "Enough for now; try again after the seconds in Retry-After."),
    "503": ("Busy", "Try again after the seconds in Retry-After."),
}


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "supplies.organisations.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        text = "`Token tz_…`, made in the administration. Acts as its user, within its scopes."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": text}


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


def _describe_warnings(operation: dict[str, Any]) -> None:
    """Free words that hold a private number are kept and hidden from the public; whoever sent them is told."""
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            said = (
                "The answer also holds `warnings`, a list of Warning, where free words hold a private number."
            )
            response["description"] = f"{response.get('description', '')} {said}".strip()


def _possible(path: str, method: str, has_body: bool) -> list[str]:
    found = ["400", "401", "403", "503"]
    if "{" in path:
        found.append("404")
    if method != "get":
        found += ["409", "429"]
    return found + (["413", "415"] if has_body else [])
