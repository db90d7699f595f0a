"""Rows of the database as values of a type, by the names of their columns.

The type is a dataclass or a NamedTuple that names each column of the statement. A field that is of such a
type itself is made of the columns below its name ("account.id", ``columns``). What fits is decided once for
each type and set of columns; a row then costs little more than the type's own constructor.
"""

import dataclasses
import functools
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any, Literal, NewType, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as hints_of
from uuid import UUID

import asyncpg

T = TypeVar("T")
_Convert = Callable[[Any], Any]
_Build = Callable[[Any], Any]  # of a row, or of what one has of a nested value

# What the driver returns, JSON included: the column's value is the field's.
_AS_IT_IS = frozenset(
    {bool, int, float, Decimal, str, bytes, UUID, date, datetime, time, timedelta}
    | {dict, list, Mapping, Sequence, object, Any, Literal}
)


class RowMismatch(TypeError):
    """A statement and the type that its rows are to become do not fit: a fault of the program."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    """``default`` makes what stands in for a lacking column, and for NULL where that is no value."""

    name: str
    default: Callable[[], Any] | None
    nullable: bool
    convert: _Convert | None


def columns(of: Mapping[str, str], *, within: str = "") -> str:
    """SQL: expressions by the names of their fields. ``within``: the field that they make together."""
    before = f"{within}." if within else ""
    return ", ".join(f'{expression} AS "{before}{name}"' for name, expression in of.items())


def build(kind: type[T], rows: Sequence[asyncpg.Record]) -> list[T]:
    """Each row as a ``kind``.

    An enum or an amount of money is made of the column's value, a ``tuple[…, ...]`` of an array. A
    field's default stands in for a column that the statement lacks, and for NULL (JSON's too) unless
    the field allows None. Raises RowMismatch where there is no default, and where a column has no field.
    """
    if not rows:
        return []
    made: Any = kind
    one = _builder(made, tuple(rows[0].keys()))
    return [one(row) for row in rows]


@functools.cache
def _builder(kind: Any, columns: tuple[str, ...]) -> _Build:
    fields = _fields_of(kind)
    parts: dict[str, dict[str, int]] = {}  # of a field: the places of its own columns
    for place, column in enumerate(columns):
        name, _, part = column.partition(".")
        parts.setdefault(name, {})[part] = place
    _check(kind, fields, columns, list(parts))
    filled = [field for field in fields if field.name in parts]
    make = kind if len(filled) == len(fields) else _by_name(kind, filled)
    take = _taking([next(iter(parts[field.name].values())) for field in filled])
    nested = [
        (place, _nested(field, parts[field.name]))
        for place, field in enumerate(filled)
        if "" not in parts[field.name]
    ]
    converts = [
        (place, field.convert)
        for place, field in enumerate(filled)
        if field.convert is not None and "" in parts[field.name]
    ]

    def one(row: Any) -> Any:
        values = take(row)
        if nested:
            values = list(values)
            for place, of_row in nested:
                values[place] = of_row(row)
        if converts:
            values = values if nested else list(values)
            for place, convert in converts:
                if values[place] is not None:
                    values[place] = convert(values[place])
        if None in values:
            values = _without_null(kind, filled, values)
        return make(*values)

    return one


def _taking(places: Sequence[int]) -> _Build:
    return itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)


def _nested(field: _Field, places: Mapping[str, int]) -> _Build:
    """A value of its own, or none where all of its columns are NULL and it may lack."""
    take, make = _taking(list(places.values())), _builder(field.convert, tuple(places))

    def of_row(row: Any) -> Any:
        values = take(row)
        lacks = field.nullable and all(value is None for value in values)
        return None if lacks else make(values)

    return of_row


def _by_name(kind: Callable[..., Any], filled: Sequence[_Field]) -> Callable[..., Any]:
    names = [field.name for field in filled]
    return lambda *values: kind(**dict(zip(names, values, strict=True)))


def _fields_of(kind: Any) -> list[_Field]:
    """In the order of the constructor."""
    missing = dataclasses.MISSING
    if dataclasses.is_dataclass(kind):
        defaults = {
            field.name: field.default_factory
            if field.default_factory is not missing
            else _always(field.default)
            for field in dataclasses.fields(kind)
            if field.init
        }
    elif hasattr(kind, "_fields"):
        defaults = {name: _always(kind._field_defaults.get(name, missing)) for name in kind._fields}
    else:
        raise RowMismatch(f"{kind!r} is neither a dataclass nor a NamedTuple")
    hints = hints_of(kind)
    return [_Field(name, default, *_reading(hints[name])) for name, default in defaults.items()]


def _always(default: Any) -> Callable[[], Any] | None:
    return None if default is dataclasses.MISSING else lambda: default


def _reading(hint: Any) -> tuple[bool, _Convert | None]:
    """Whether NULL may come, and what makes the field's value of the column's."""
    if get_origin(hint) in (Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        nullable = len(options) < len(get_args(hint))
        converts = [_reading(option)[1] for option in options]
        return nullable, converts[0] if len(converts) == 1 else None
    return hint in (Any, object), _conversion(hint)


def _conversion(hint: Any) -> _Convert | None:
    if isinstance(hint, NewType):
        return _conversion(hint.__supertype__)
    make: _Convert = get_origin(hint) or hint
    if make in _AS_IT_IS:
        return None
    if make in (tuple, frozenset):
        element = next((_conversion(argument) for argument in get_args(hint)), None)
        return make if element is None else lambda values: make(map(element, values))
    return make


def _check(
    kind: object, fields: Sequence[_Field], columns: Sequence[str], names: Sequence[str]
) -> None:
    name = getattr(kind, "__qualname__", kind)
    lacking = [field.name for field in fields if field.name not in names and not field.default]
    if lacking:
        raise RowMismatch(f"the statement has no column for {name}: {', '.join(lacking)}")
    unknown = [name for name in names if name not in {field.name for field in fields}]
    if unknown:
        raise RowMismatch(f"{name} has no field for the columns {', '.join(unknown)}")
    if len(set(columns)) < len(columns):
        raise RowMismatch(f"two columns for one field of {name}: {', '.join(columns)}")


def _without_null(kind: object, fields: Sequence[_Field], values: Sequence[Any]) -> list[Any]:
    return [
        value if value is not None or field.nullable else _default(kind, field)
        for field, value in zip(fields, values, strict=True)
    ]


def _default(kind: object, field: _Field) -> Any:
    if field.default is None:
        name = getattr(kind, "__qualname__", kind)
        raise RowMismatch(f"NULL came for {field.name}, which {name} does not allow")
    return field.default()
