"""Lists that are written as JSON or YAML: values exactly as they stand, nothing guessed from how they look."""

import json
import re
from collections.abc import Iterator
from typing import Any

DEEPEST = 100  # brackets within brackets
MOST_VALUES = 100_000  # in one document of YAML, repeated ones counted each time


class NotAList(ValueError):
    """The text is no list of rows; `code` says why, `words` where."""

    def __init__(self, code: str, **words: object) -> None:
        self.code, self.words = code, {name: str(word) for name, word in words.items()}
        super().__init__(code)


# -- JSON -------------------------------------------------------------------------------------------------


def read_json(text: str) -> Iterator[tuple[int, Any]]:
    """The rows of a JSON list. Long numbers stay digits: 10^5000 costs nothing.

    The whole text is looked through before the first row is given: a download that was cut off is no list.
    """
    if _is_deep(text):
        raise NotAList("not-a-list")
    start = _start_of_list(text)
    for _row in _rows(text, start):
        pass
    yield from enumerate(_rows(text, start), start=1)


def _start_of_list(text: str) -> int:
    begin = re.match(r"\ufeff?\s*\[", text)
    if begin:
        return begin.end()
    _DECODER.decode_or_refuse(text)
    raise NotAList("not-a-list")


class _Decoder(json.JSONDecoder):
    def __init__(self) -> None:
        super().__init__(
            parse_int=lambda digits: int(digits) if len(digits) < 30 else digits, parse_constant=str
        )

    def decode_or_refuse(self, text: str) -> Any:
        try:
            return self.decode(text)
        except json.JSONDecodeError as error:
            raise NotAList("bad-json", line=error.lineno) from None

    def value_at(self, text: str, position: int) -> tuple[Any, int]:
        try:
            return self.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise NotAList("bad-json", line=text.count("\n", 0, error.pos) + 1) from None


_DECODER = _Decoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def _after_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _rows(text: str, position: int) -> Iterator[Any]:
    position = _after_space(text, position)
    if text.startswith("]", position):
        return
    while True:
        row, position = _DECODER.value_at(text, position)
        yield row
        position = _after_space(text, position)
        sign = text[position : position + 1]
        position = _after_space(text, position + 1)
        if sign == "]":
            return
        if sign != ",":
            raise NotAList("bad-json", line=text.count("\n", 0, position) + 1)


def _is_deep(text: str) -> bool:
    """Whether brackets are nested deeper than any list of rows; Python would run out of stack."""
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > DEEPEST:
            return True
    return False


# -- YAML -------------------------------------------------------------------------------------------------


def read_yaml(text: str) -> Iterator[tuple[int, Any, list[tuple[str, dict[str, str]]]]]:
    """The rows of YAML as people write it, with the line each begins in and what is wrong with it.

    Every value is the text that was written: a telephone 0271234567 is no octal number, and `no` may be a name. Tabs,
    which YAML forbids and people use, count as two blanks. Several documents are several rows, or lists of them.
    """
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    plain = "\n".join(_without_tabs(line) for line in text.lstrip("\ufeff").splitlines())
    if _is_deep(plain):
        raise NotAList("not-a-list")
    try:
        for document in yaml.compose_all(plain, Loader=loader):
            yield from _yaml_rows(document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotAList("bad-yaml", line=mark.line + 1 if mark else 1) from None
    except yaml.YAMLError:
        raise NotAList("bad-yaml", line=1) from None


def _without_tabs(line: str) -> str:
    indent = re.match(r"[ \t]*", line)
    begin = indent[0] if indent else ""
    return begin.replace("\t", "  ") + line[len(begin) :] if "\t" in begin else line


def _yaml_rows(document: Any) -> Iterator[tuple[int, Any, list[tuple[str, dict[str, str]]]]]:
    if _weight(document, {}) > MOST_VALUES:
        raise NotAList("yaml-repeats", line=document.start_mark.line + 1)
    rows = [document]
    if document.id == "mapping" and len(document.value) == 1 and document.value[0][1].id == "sequence":
        document = document.value[0][1]  # hospitals: [...]
    if document.id == "sequence":
        rows = document.value
    for node in rows:
        said: list[tuple[str, dict[str, str]]] = []
        yield node.start_mark.line + 1, _value(node, said), said


def _weight(node: Any, known: dict[int, int]) -> int:
    """How many values a node comes to when every repetition (`*name`) is written out."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = MOST_VALUES + 1  # one that holds itself never ends
    parts = node.value if node.id == "sequence" else []
    if node.id == "mapping":
        parts = [part for pair in node.value for part in pair]
    known[id(node)] = 1 + sum(_weight(part, known) for part in parts)
    return known[id(node)]


def _value(node: Any, said: list[tuple[str, dict[str, str]]]) -> Any:
    if node.id == "scalar":
        return None if not node.style and node.value in {"", "~", "null"} else node.value
    if node.id == "sequence":
        return [_value(part, said) for part in node.value]
    made: dict[str, Any] = {}
    for key, part in node.value:
        name = key.value if key.id == "scalar" else json.dumps(_value(key, said), ensure_ascii=False)
        value = _value(part, said)
        if name == "<<" and isinstance(value, dict):
            made = {**value, **made}
            continue
        if name in made and made[name] != value:
            said.append(("duplicate-key", {"key": name, "line": str(key.start_mark.line + 1)}))
        made[name] = value
    return made
