"""One HTTP call to Instagram: time limits, size limits, errors judged, secrets kept out of sight."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, NoReturn, TypeVar

import httpx

from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.errors import (
    TOKEN_DEAD,
    GraphError,
    judge_fault,
    judge_network,
    judge_status,
    judge_unreadable,
    read_fault,
)
from selify.vendors.instagram.json_input import JsonObject, as_object, canonical_json, decode_json
from selify.vendors.instagram.types import Answered, Usage

T = TypeVar("T")

MAX_ANSWER_BYTES = 4 * 1024 * 1024
_BEARER = re.compile(r"[\x21-\x7e]+")
_QUERY = re.compile(r"\?\S*")
_LONGEST_RETRY_AFTER = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """A request and how to read its answer.

    ``repeatable``: doing it twice does no harm, so a lost answer means "again" and not "unknown".
    ``secrets``: what must never appear in an error, beside the token.
    """

    operation: str
    method: str
    url: str
    read: Callable[[JsonObject], T]
    repeatable: bool
    token: str | None = None
    params: Mapping[str, str] | None = None
    json: JsonObject | None = None
    form: Mapping[str, str] | None = None
    secrets: tuple[str, ...] = ()

    @property
    def hidden(self) -> tuple[str, ...]:
        return (*self.secrets, self.token or "")


class Transport:
    """Sends calls over one shared ``httpx.AsyncClient``, which the caller opens and closes."""

    def __init__(self, http: httpx.AsyncClient, config: InstagramConfig) -> None:
        _hide_queries_in_logs()
        self._http = http
        self._total_seconds = config.total_timeout.total_seconds()
        self._timeout = httpx.Timeout(
            config.read_timeout.total_seconds(),
            connect=config.connect_timeout.total_seconds(),
            pool=config.connect_timeout.total_seconds(),
        )

    async def send(self, call: Call[T]) -> Answered[T]:
        """The answer, read; or GraphError with what to do."""
        outcome = await self._exchange(call)
        if isinstance(outcome, Exception):
            raise GraphError(call.operation, judge_network(outcome, repeatable=call.repeatable))
        response, body = outcome
        usage = Usage.read(response.headers)
        answer = _decode(body)
        if not response.is_success or read_fault(answer):
            _raise_refusal(call, response, answer, usage)
        try:
            return Answered(value=call.read(as_object(answer)), usage=usage)
        except (KeyError, TypeError, ValueError, AttributeError):
            verdict = judge_unreadable(repeatable=call.repeatable)
        raise GraphError(call.operation, verdict, http_status=response.status_code, usage=usage)

    async def _exchange(self, call: Call[T]) -> tuple[httpx.Response, bytes] | Exception:
        """An error is returned, not raised: its traceback would hold the request and its token."""
        try:
            request = self._build(call)
            async with asyncio.timeout(self._total_seconds):
                response = await self._http.send(request, stream=True, follow_redirects=False)
                try:
                    return response, await _read_limited(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return error

    def _build(self, call: Call[T]) -> httpx.Request:
        headers = {"Accept": "application/json"}
        if call.token is not None:
            if not _BEARER.fullmatch(call.token):
                raise GraphError(call.operation, TOKEN_DEAD)
            headers["Authorization"] = f"Bearer {call.token}"
        content = None
        if call.json is not None:
            headers["Content-Type"] = "application/json"
            content = canonical_json(call.json)
        request = self._http.build_request(
            call.method,
            call.url,
            headers=headers,
            params=call.params,
            content=content,
            data=call.form,
            timeout=self._timeout,
        )
        # The shared client keeps cookies; one account's must not travel with another's token.
        request.headers.pop("Cookie", None)
        return request


async def _read_limited(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise httpx.DecodingError("the answer is too large")
    return bytes(body)


def _raise_refusal(call: Call[T], response: httpx.Response, answer: Any, usage: Usage) -> NoReturn:
    status = response.status_code
    fault = read_fault(answer, hide=call.hidden)
    if fault:
        verdict = judge_fault(fault, http_status=status, repeatable=call.repeatable, usage=usage)
    else:
        wait = _retry_after(response.headers)
        verdict = judge_status(status, repeatable=call.repeatable, retry_after=wait)
    raise GraphError(call.operation, verdict, http_status=status, fault=fault, usage=usage)


def _decode(body: bytes) -> Any:
    try:
        return decode_json(body)
    except ValueError:
        return None


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    value = headers.get("retry-after", "")
    if not (value.isascii() and value.isdigit() and len(value) < 9):
        return None
    return timedelta(seconds=min(int(value), _LONGEST_RETRY_AFTER))


class _HideQuery(logging.Filter):
    """httpx logs whole addresses, and Meta's token exchange wants its secrets in the query."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _QUERY.sub("?…", str(arg)) if isinstance(arg, httpx.URL) else arg
                for arg in record.args
            )
        return True


def _hide_queries_in_logs() -> None:
    logger = logging.getLogger("httpx")
    if not any(isinstance(item, _HideQuery) for item in logger.filters):
        logger.addFilter(_HideQuery())
