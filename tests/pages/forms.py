"""The forms of pages, as written and as shown: which of them could be sent twice."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.S | re.I)
POSTS = re.compile(r"<form\b[^>]*\bmethod=[\"']?post\b", re.I)


def written(source: str) -> Iterator[str]:
    """The forms of a template that are posted."""
    for form in FORM.findall(source):
        if POSTS.match(form):
            yield form


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, set[str]]] = []
        self.is_posted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.is_posted = (given.get("method") or "").lower() == "post"
            if self.is_posted:
                self.forms.append((given.get("action") or "", set()))
        elif tag == "input" and self.is_posted:
            self.forms[-1][1].add(given.get("name") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_posted = False


def shown(page: str) -> list[tuple[str, set[str]]]:
    """Of every form of a page that is posted: where to, and the names of its inputs."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms
