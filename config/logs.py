"""What the site writes into its log: one line a record, as JSON for programs or as words for a person, and nobody's data.

What this project's own code says is written as it says it. Of what libraries say, only the sentence is kept, without the
values put into it: Django quotes addresses, Celery arguments, gunicorn requests. An exception is told by its kind and its
place and never by its message, in which psycopg2 quotes the row. What cannot be printed is spelled out, so that no text
sent to us begins a line of its own or moves the cursor of whoever reads.
"""

import json
import logging
import logging.config
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

OURS = frozenset({"config", "supplies", "matching", "security"})
QUOTING = ("django.request", "django.security")
SAFE_IN_CELERY = frozenset({"name", "id", "runtime"})
ROOT = Path(__file__).resolve().parent.parent
MOST_FRAMES = 20


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: the standard loggers, and structlog on top of them."""
    logging.config.dictConfig(config)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def logging_config(*, as_words: bool, level: str) -> dict[str, Any]:
    """For logging.config.dictConfig, of Django, Celery and gunicorn alike: everything to stderr, in one form."""
    own = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "config.logs.formatter", "as_words": as_words}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": own,  # Django's own handlers would mail an error with everything the request held
            "django.request": {**own, "level": "ERROR"},
            "gunicorn.error": own,
            "celery.worker.strategy": {**own, "level": "WARNING"},  # each task writes one line of ours
            "celery.app.trace": {**own, "level": "WARNING"},
            "celery.beat": {**own, "level": "WARNING"},
        },
    }


def formatter(*, as_words: bool) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_without_values, *SHARED],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _spelled_out,
            words if as_words else _json,
        ],
        pass_foreign_args=True,
        use_get_message=False,
    )


# -- What is said -----------------------------------------------------------------------------------------


def _without_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    args = event.pop("positional_args", ())
    event["event"] = sentence(event["_record"], args)
    return event


def sentence(record: logging.LogRecord, args: Any) -> str:
    """What a record of the standard library's logging says, as far as it belongs in the log."""
    logger, message = record.name, record.msg
    if not isinstance(message, str) or logger.startswith(QUOTING):
        return logger  # the message is what was sent, not a sentence about it
    if args and (logger.partition(".")[0] in OURS or is_about_processes(record)):
        return str(message % args)
    if logger == "gunicorn.error" and not args:
        return re.split("[=:]", message)[0]  # "Invalid request from ip=…: …" comes put together
    if isinstance(args, Mapping) and logger.startswith("celery"):
        return message % {
            **dict.fromkeys(args, "…"),
            **{name: args[name] for name in SAFE_IN_CELERY & set(args)},
        }
    return message


def is_about_processes(record: logging.LogRecord) -> bool:
    """Where gunicorn listens and which of its processes come and go; only its warnings quote requests."""
    return record.name == "gunicorn.error" and record.levelno < logging.WARNING


def _told_by_kind(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    found = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if found:
        error = found if isinstance(found, BaseException) else (sys.exc_info() if found is True else found)[1]
        if error is not None:
            event["error"], event["at"] = kind_of(error), " < ".join(_places(error))
    return event


def kind_of(error: BaseException) -> str:
    """The kinds of an error and of what caused it, with the constraint or code where the database gave one."""
    kinds: list[str] = []
    found: BaseException | None = error
    while found is not None and len(kinds) < MOST_FRAMES:
        reason = reason_of(found)
        kinds.append(f"{type(found).__qualname__}({reason})" if reason else type(found).__qualname__)
        found = found.__cause__ or found.__context__
    return " < ".join(kinds)


def reason_of(error: BaseException) -> str:
    """The constraint or the code with which PostgreSQL refused; its message quotes the row."""
    for cause in (error, error.__cause__):
        diagnosis = getattr(cause, "diag", None)
        if known := getattr(diagnosis, "constraint_name", None) or getattr(cause, "pgcode", None):
            return str(known)
    return ""


def _places(error: BaseException) -> Iterator[str]:
    """Where it happened, innermost first, without the lines of code."""
    for frame in traceback.extract_tb(error.__traceback__)[: -MOST_FRAMES - 1 : -1]:
        yield f"{_shown(frame.filename)}:{frame.lineno} {frame.name}"


def _shown(file: str) -> str:
    """A file as everybody has it: from the project's root, or from the library's own."""
    return file.rpartition("site-packages/")[2].removeprefix(f"{ROOT}/")


# -- How it is written ------------------------------------------------------------------------------------


def _spelled_out(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {escaped(str(name)): _plain(value) for name, value in event.items()}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else escaped(str(value))


def escaped(text: str) -> str:
    """The text on one line: line ends, control characters, marks that turn the direction of writing as \\uXXXX."""
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)


def _json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return json.dumps(event, ensure_ascii=False)


def words(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """2026-11-23T08:00:00Z warning denied status=403 route=needs"""
    rest = {name: value for name, value in event.items() if name not in ("timestamp", "level", "event")}
    told = (f"{name}={_quoted(value)}" for name, value in rest.items() if value is not None)
    return " ".join((str(event["timestamp"]), str(event["level"]), str(event["event"]), *told))


def _quoted(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if set(text) & set(' "=\\') or not text else text


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _told_by_kind,
]
