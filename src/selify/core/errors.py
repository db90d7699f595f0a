"""Refusals with a status code. A normal refusal is one of these and never a 500.

Each error knows the HTTP status, a stable machine-readable ``code``, and, for the person reading
it, what went wrong (``detail``) and what to do about it (``hint``). Rendered as problem details
(RFC 9457) by ``selify.core.web.problems``.
"""

from typing import Any, ClassVar

from selify.core.language import _, sentences


class SelifyError(Exception):
    """Base of every refusal. ``extra`` members travel in the problem document."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = _("Something went wrong on our side")

    def __init__(self, detail: str, *, hint: str = "", **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.extra = extra

    def of(self, field: str) -> str:
        """What is wrong with the value of that name, and what to do; empty where nothing is."""
        found = [item["message"] for item in self.extra.get("fields", ()) if item["field"] == field]
        return sentences(*(part for message in found for part in (message, self.hint)))


class BadRequest(SelifyError):
    status, code, title = 400, "bad_request", _("The request cannot be understood")


class Unauthenticated(SelifyError):
    status, code, title = 401, "unauthenticated", _("Please sign in")


class PaymentRequired(SelifyError):
    status, code, title = 402, "payment_required", _("Not enough credits")


class Forbidden(SelifyError):
    status, code, title = 403, "forbidden", _("Not allowed")


class NotFound(SelifyError):
    status, code, title = 404, "not_found", _("Not found")


class MethodNotAllowed(SelifyError):
    status, code, title = 405, "method_not_allowed", _("This address does not do that")


class TooSlow(SelifyError):
    status, code, title = 408, "too_slow", _("The request took too long to arrive")


class Conflict(SelifyError):
    status, code, title = 409, "conflict", _("This conflicts with what is there")


class Gone(SelifyError):
    status, code, title = 410, "gone", _("No longer available")


class TooLarge(SelifyError):
    status, code, title = 413, "too_large", _("Too large")


class UnsupportedMedia(SelifyError):
    status, code, title = 415, "unsupported_media", _("This kind of file is not supported")


class Invalid(SelifyError):
    """``field``: the name of the value that is wrong, where it is one of several."""

    status, code, title = 422, "invalid", _("Some values are not valid")

    def __init__(self, detail: str, *, hint: str = "", field: str = "", **extra: Any) -> None:
        named = {"fields": [{"field": field, "message": detail}]} if field else {}
        super().__init__(detail, hint=hint, **{**named, **extra})


class TooMany(SelifyError):
    """``retry_after`` is in seconds."""

    status, code, title = 429, "too_many_requests", _("Too many requests")

    def __init__(self, detail: str, *, retry_after: float, hint: str = "", **extra: Any) -> None:
        super().__init__(detail, hint=hint, retry_after=retry_after, **extra)
        self.retry_after = retry_after


class HeadTooLarge(SelifyError):
    status, code, title = 431, "head_too_large", _("The request's headers are too large")


class Unavailable(SelifyError):
    status, code, title = 503, "unavailable", _("Temporarily not available")
