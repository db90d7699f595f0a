"""What is wrong with a value that was sent, in words: in English the validator's own."""

from typing import Any

from selify.core import language
from selify.core.language import N_, Message, _

# What the validator says in English, by the kind of error, with the gaps of its context.
_KINDS = {
    "bool_parsing": _("Input should be a valid boolean, unable to interpret input"),
    "bytes_type": _("Input should be a valid bytes"),
    "date_from_datetime_parsing": _("Input should be a valid date or datetime"),
    "datetime_from_date_parsing": _("Input should be a valid datetime or date"),
    "datetime_parsing": _("Input should be a valid datetime"),
    "datetime_type": _("Input should be a valid datetime"),
    "dict_type": _("Input should be a valid dictionary"),
    "extra_forbidden": _("Extra inputs are not permitted"),
    "int_from_float": _("Input should be a valid integer, got a number with a fractional part"),
    "int_parsing": _("Input should be a valid integer, unable to parse string as an integer"),
    "int_parsing_size": _("Unable to parse input string as an integer, exceeded maximum size"),
    "int_type": _("Input should be a valid integer"),
    "json_invalid": _("JSON decode error"),
    "json_type": _("JSON input should be string, bytes or bytearray"),
    "list_type": _("Input should be a valid list"),
    "missing": _("Field required"),
    "model_attributes_type": _(
        "Input should be a valid dictionary or object to extract fields from"
    ),
    "model_type": _("Input should be a valid dictionary"),
    "string_pattern_mismatch": _("The value does not have the expected form"),
    "string_type": _("Input should be a valid string"),
    "uuid_parsing": _("Input should be a valid UUID"),
    "uuid_type": _("UUID input should be a string, bytes or UUID object"),
}
_UNKNOWN = _("This value is not valid")
# The same, of kinds that name a limit or what is allowed.
_LIMITED = {
    "enum": (N_("Input should be %(expected)s"), "expected"),
    "greater_than": (N_("Input should be greater than %(gt)s"), "gt"),
    "greater_than_equal": (N_("Input should be greater than or equal to %(ge)s"), "ge"),
    "less_than": (N_("Input should be less than %(lt)s"), "lt"),
    "less_than_equal": (N_("Input should be less than or equal to %(le)s"), "le"),
    "literal_error": (N_("Input should be %(expected)s"), "expected"),
    "string_too_long": (N_("Text should have at most %(max_length)s characters"), "max_length"),
    "string_too_short": (N_("Text should have at least %(min_length)s characters"), "min_length"),
    "too_long": (N_("There should be at most %(max_length)s items"), "max_length"),
    "too_short": (N_("There should be at least %(min_length)s items"), "min_length"),
}


def message(item: dict[str, Any]) -> str:
    """What one error of a validation says. What it repeats of the input is printable."""
    context = item.get("ctx") or {}
    raised = context.get("error")
    if isinstance(raised, ValueError) and raised.args and isinstance(raised.args[0], Message):
        return raised.args[0]
    english = _printable(str(item["msg"]).removeprefix("Value error, "))
    if language.current() == language.ENGLISH:
        return english
    return _in_our_words(str(item["type"]), context)


def _in_our_words(kind: str, context: dict[str, Any]) -> str:
    if kind in _LIMITED:
        text, name = _LIMITED[kind]
        return _(text, **{name: context.get(name, "")})
    return _KINDS.get(kind, _UNKNOWN)


def _printable(text: str) -> str:
    """JSON can carry what UTF-8 cannot."""
    return text.encode("utf-8", "backslashreplace").decode()
