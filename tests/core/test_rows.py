"""Rows come as values of a type; a statement that does not fit its type says so."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, NewType
from uuid import UUID

import pytest
import pytest_asyncio

from selify.core.database import Actor, Database, Tx
from selify.core.money import Cents, MicroUnits
from selify.core.rows import RowMismatch, columns

GarmentId = NewType("GarmentId", UUID)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Shirt:
    name: str
    colour: Colour
    price: Cents | None
    sizes: tuple[str, ...] = ()
    other_colours: tuple[Colour, ...] = ()
    looks: Mapping[str, Any] = field(default_factory=dict)


class Place(NamedTuple):
    id: GarmentId
    at: datetime | None
    note: str = "none"


@dataclass(frozen=True, slots=True)
class Cost:
    cost: MicroUnits


@dataclass(frozen=True, slots=True)
class Hanger:
    number: int
    shirt: Shirt
    spare: Shirt | None = None


@pytest_asyncio.fixture
async def tx(database: Database) -> AsyncIterator[Tx]:
    async with database.tx(Actor.system("test")) as opened:
        yield opened


async def test_columns_find_their_fields_by_name_and_become_its_type(tx: Tx) -> None:
    (shirt,) = await tx.fetch_as(
        Shirt,
        """
        SELECT ARRAY['S', 'M'] AS sizes, 1999 AS price, 'red' AS colour, 'Linen' AS name,
               '{"collar": true}'::jsonb AS looks, ARRAY['blue', 'red'] AS other_colours
        """,
    )
    assert shirt == Shirt(
        "Linen", Colour.RED, Cents(1999), ("S", "M"), (Colour.BLUE, Colour.RED), {"collar": True}
    )
    assert type(shirt.colour) is Colour


async def test_a_field_with_a_default_may_lack_its_column(tx: Tx) -> None:
    shirts = await tx.fetch_as(
        Shirt,
        """
        SELECT name, 'blue' AS colour, NULL::int AS price, ARRAY['blue'] AS other_colours
          FROM unnest($1::text[]) AS name
        """,
        ["A", "B"],
    )
    assert shirts == [
        Shirt(name, Colour.BLUE, None, other_colours=(Colour.BLUE,)) for name in ("A", "B")
    ]


async def test_a_default_stands_in_for_null(tx: Tx) -> None:
    """For that of JSON too, which looks the same from here; where None is a value, it stays."""
    shirt = await tx.fetch_one_as(
        Shirt,
        """
        SELECT 'A' AS name, 'red' AS colour, NULL::int AS price, NULL::text[] AS sizes,
               'null'::jsonb AS looks
        """,
    )
    assert shirt == Shirt("A", Colour.RED, None)


async def test_a_named_tuple_is_built_too(tx: Tx) -> None:
    place = Place(GarmentId(UUID(int=7)), None)
    sql = "SELECT NULL::timestamptz AS at, $1::uuid AS id"
    assert await tx.fetch_one_as(Place, sql, UUID(int=7)) == place
    assert await tx.fetch_one_as(Place, f"{sql}, NULL::text AS note", UUID(int=7)) == place


async def test_one_column_is_enough(tx: Tx) -> None:
    assert await tx.fetch_one_as(Cost, "SELECT 5 AS cost") == Cost(MicroUnits(5))


RED_LINEN = columns({"name": "'Linen'", "colour": "'red'", "price": "1"}, within="shirt")
NO_SPARE = columns({"name": "NULL", "colour": "NULL", "price": "NULL::int"}, within="spare")


async def test_a_field_may_be_a_type_of_its_own(tx: Tx) -> None:
    linen = Shirt("Linen", Colour.RED, Cents(1))
    assert await tx.fetch_one_as(Hanger, f"SELECT {RED_LINEN}, 7 AS number") == Hanger(7, linen)
    silk = columns({"colour": "'blue'", "price": "NULL::int", "name": "'Silk'"}, within="spare")
    hanger = await tx.fetch_one_as(Hanger, f"SELECT {RED_LINEN}, 7 AS number, {silk}")
    assert hanger == Hanger(7, linen, Shirt("Silk", Colour.BLUE, None))


async def test_it_is_none_where_all_it_is_made_of_is_null(tx: Tx) -> None:
    hanger = await tx.fetch_one_as(Hanger, f"SELECT {RED_LINEN}, 7 AS number, {NO_SPARE}")
    assert hanger == Hanger(7, Shirt("Linen", Colour.RED, Cents(1)))


async def test_what_it_lacks_is_said_of_it(tx: Tx) -> None:
    with pytest.raises(RowMismatch, match="no column for Shirt: name, colour"):
        await tx.fetch_one_as(Hanger, 'SELECT 7 AS number, 1 AS "shirt.price"')
    with pytest.raises(RowMismatch, match="no column for Hanger: number"):
        await tx.fetch_one_as(Hanger, f"SELECT {RED_LINEN}")


async def test_no_row_is_none_and_no_rows_are_an_empty_list(tx: Tx) -> None:
    assert await tx.fetch_as(Cost, "SELECT 5 AS cost WHERE false") == []
    assert await tx.fetch_one_as(Cost, "SELECT 5 AS cost WHERE false") is None


@pytest.mark.parametrize(
    ("selected", "said"),
    [
        ("'Linen' AS name", "no column for Shirt: colour, price"),
        (
            "'Linen' AS name, 'red' AS colour, 1 AS price, 2 AS weight, 3 AS length",
            "Shirt has no field for the columns weight, length",
        ),
        ("'Linen' AS name, 'red' AS colour, 1 AS price, 2 AS price", "two columns for one field"),
        (
            "NULL::text AS name, NULL::text AS colour, NULL::int AS price",
            "NULL came for name, which Shirt does not allow",
        ),
    ],
)
async def test_a_statement_that_does_not_fit_says_what_is_wrong(
    tx: Tx, selected: str, said: str
) -> None:
    with pytest.raises(RowMismatch, match=said):
        await tx.fetch_as(Shirt, f"SELECT {selected}")
    with pytest.raises(RowMismatch, match=said):
        await tx.fetch_one_as(Shirt, f"SELECT {selected}")


async def test_a_word_that_an_enum_does_not_know_is_refused(tx: Tx) -> None:
    with pytest.raises(ValueError, match="'green' is not a valid Colour"):
        await tx.fetch_as(Shirt, "SELECT 'Linen' AS name, 'green' AS colour, 1 AS price")


async def test_only_types_with_named_fields_are_built(tx: Tx) -> None:
    with pytest.raises(RowMismatch, match="neither a dataclass nor a NamedTuple"):
        await tx.fetch_as(dict, "SELECT 1 AS one")


async def test_what_fits_is_decided_once(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second statement of the same shape looks at no type any more."""
    await tx.fetch_as(Shirt, "SELECT 'A' AS name, 'red' AS colour, 1 AS price")
    monkeypatch.setattr("selify.core.rows.hints_of", None)
    assert await tx.fetch_as(Shirt, "SELECT 'B' AS name, 'red' AS colour, 1 AS price")
