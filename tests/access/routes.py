"""Every route of the site, from the URL resolver itself, so that a new one cannot be forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """name    as `reverse` knows it, else its path; an action of the desk is a route of its own: admin:supplies_appeal_do/publish
    holes   the names of what an address of it has to be given
    """

    name: str
    path: str
    holes: tuple[str, ...]
    view: Any

    @property
    def is_api(self) -> bool:
        return hasattr(self.view, "cls")

    @property
    def action(self) -> str:
        name, _slash, action = self.name.partition("/")
        return action if name else ""  # a route without a name goes by its path


def routes() -> list[Route]:
    """Every address once, by the name that answers there first."""
    found: dict[tuple[str, str], Route] = {}
    for route in _walk(get_resolver().url_patterns):
        for one in _spread(route):
            found.setdefault((one.path, one.action), one)
    return list(found.values())


def _walk(patterns: list[Any], space: str = "", before: str = "/") -> Iterator[Route]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(
                pattern.url_patterns, space + (f"{pattern.namespace}:" if pattern.namespace else ""), path
            )
        elif isinstance(pattern, URLPattern):
            holes = tuple(sorted(pattern.pattern.regex.groupindex))
            # The desk has routes without a name: a row's old address, and whatever is nothing else.
            yield Route(space + pattern.name if pattern.name else path, path, holes, pattern.callback)


def _spread(route: Route) -> Iterator[Route]:
    """The desk does all its actions at one address; here each is a route."""
    if not route.name.endswith("_do"):
        yield route
        return
    for model, desk in admin.site._registry.items():
        if route.name == f"admin:{model._meta.app_label}_{model._meta.model_name}_do":
            for action in desk.actions:
                name = f"{route.name}/{action.__name__}"
                yield Route(name, route.path, ("action", "object_id"), route.view)
