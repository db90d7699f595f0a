"""No page and no list takes longer for whoever has more.

Every address that can be looked at is found by itself and looked at, with each of its parameters
in turn, by the member of a brand that has most of 100,000 rows in every table. Each statement that
the server sends meanwhile is carried out once more, and its plan is read.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute
from tests.dash.conftest import SYSTEM, Brand, Site, open_brand, open_site
from tests.infra import crowd
from tests.infra import page_plans as plans
from tests.infra.page_plans import Question

from selify import billing
from selify.app import create_server
from selify.billing import UsagePart
from selify.billing.schemas import encode_cursor
from selify.core.database import Database
from selify.core.settings import Settings
from selify.dash.parts import PARTS
from selify.social import funnel
from selify.social.reading import ConversationFilter, Mark

pytestmark = pytest.mark.slow

HALFWAY = datetime.now(UTC) - timedelta(days=45)
Values = Mapping[str, Callable[[str], list[object]]]
# What only somebody from outside is answered, or what never ends.
NOT_LOOKED_AT = {
    "/live",
    "/api/v1/realtime",
    "/files/{token}",
    "/connect/{platform}",
    "/connect/{platform}/callback",
    "/posts/{post_id}/picture",
    "/readyz",
    "/metrics",
}


@dataclass(frozen=True)
class Crowd:
    """A site full of rows, and who has most of them."""

    site: Site
    brand: Brand
    growing: frozenset[str]
    database: Database

    async def one(self, sql: str) -> UUID:
        return (await self.site.run(sql, self.brand.id))[0]["id"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def crowded(
    postgres_server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crowd]:
    folder = tmp_path_factory.mktemp("crowd")
    async with open_site(postgres_server, template_database, "crowd", folder) as site:
        brand, rival = await open_brand(site, "Nordlicht"), await open_brand(site, "Konkurrenz")
        await crowd.fill(site.database.url, _owner(brand), _owner(rival))
        async with site.database.tx(SYSTEM) as tx:
            now = datetime.now(UTC)
            assert await funnel.count_days(tx, now=now) == 2 * 90
            assert await billing.count_days(tx, now=now) == 2 * 90
        growing = await site.run(
            "SELECT relname::text AS name FROM pg_class WHERE relkind = 'r' AND reltuples > 10000"
        )
        yield Crowd(site, brand, frozenset(row["name"] for row in growing), site.database)
        for one in (brand, rival):
            await one.owner.browser.aclose()


def _owner(brand: Brand) -> crowd.Owner:
    return crowd.Owner(brand.id, brand.account_id, brand.owner.id)


# --- What there is to look at ---------------------------------------------------------------------


def _routes(app: FastAPI) -> Iterator[APIRoute]:
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        for found in inner.routes if inner else [route]:
            if isinstance(found, APIRoute) and "GET" in found.methods:
                yield found


def _parameters(dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        yield parameter.alias
    for needed in dependant.dependencies:
        yield from _parameters(needed)


async def _values(of: Crowd) -> Values:
    """For each name of a parameter, what to ask for at that address."""
    brand = of.brand
    conversation = UUID(bytes=hashlib.md5(b"conversation1").digest())  # the endless one
    post, garment, charge, message = [
        await of.one(
            f"SELECT id FROM public.{table} WHERE {owner} ORDER BY {at} OFFSET 4000 LIMIT 1"
        )
        for table, owner, at in (
            ("social_posts", "workspace_id = $1", "posted_at"),
            ("wardrobe_garments", "workspace_id = $1", "created_at"),
            ("workspace_usage_events", "workspace_id = $1", "created_at"),
            (
                "social_messages",
                f"conversation_id = '{conversation}' AND $1::uuid IS NOT NULL",
                "created_at",
            ),
        )
    ]
    known = {
        "workspace_id": brand.id,
        "account_id": brand.account_id,
        "conversation_id": conversation,
        "post_id": post,
        "garment_id": garment,
        "charge_id": charge,
        "usage_event_id": charge,
        "workspace": brand.id,
        "conversation": conversation,
        "held": conversation,
        "account": brand.account_id,
        "days": 90,
        "archived": "true",
        "unread": "true",
        "limit": 200,
        "language": "de",
        "garment": garment,
        "return_to": "/",
        "people": Mark(HALFWAY, conversation),
    }
    rows = {"posts": post, "garments": garment, "conversations": Mark(HALFWAY, conversation)}

    def after(path: str) -> list[object]:
        row = rows.get(path.rpartition("/")[2])
        return [row] if path.startswith("/api") else [Mark(HALFWAY, garment)]

    return {
        **{name: lambda _, value=value: [value] for name, value in known.items()},
        "wanted": lambda _: [one.value for one in ConversationFilter],
        "name": lambda _: list(PARTS),
        "search": lambda _: ["forest dress", "forest 400"],  # many are called so, and few
        "after": after,
        "before": lambda path: [message if path.startswith("/api") else Mark(HALFWAY, message)],
        "cursor": lambda _: [encode_cursor(_charge(charge))],
    }


def _charge(number: UUID) -> UsagePart:
    part = object.__new__(UsagePart)
    object.__setattr__(part, "id", number)
    object.__setattr__(part, "created_at", HALFWAY)
    return part


def _addresses(route: APIRoute, values: Values) -> Iterator[tuple[str, dict]]:
    """The route's addresses plain, and with each of its parameters alone."""
    names = [name.name for name in route.dependant.path_params]
    paths = [route.path]
    for name in names:
        paths = [
            path.replace(f"{{{name}}}", str(value))
            for path in paths
            for value in values[name](route.path)
        ]
    for path in paths:
        yield path, {}
        for name in sorted(set(_parameters(route.dependant))):
            for value in values[name](route.path):
                yield path, {name: str(value)}


# --- What is asked --------------------------------------------------------------------------------


async def _look_at_everything(of: Crowd, values: Values) -> None:
    """Some parts are drawn only of what a parameter names; each address shows something at last."""
    seen: dict[str, bool] = {}
    app = create_server(Settings(data_dir="unused", database_url="postgresql://unused"))
    for route in _routes(app):
        if route.path in NOT_LOOKED_AT:
            continue
        for path, query in _addresses(route, values):
            try:
                answer = await of.brand.owner.browser.get(path, params=query)
            except httpx.TimeoutException:
                pytest.fail(f"{path} does not answer ({query})")
            assert answer.status_code < 500, (path, query, answer.text[:300])
            seen[path] = seen.get(path, False) or answer.is_success or answer.is_redirect
    assert not [path for path, shown in seen.items() if not shown]


async def test_no_page_asks_for_more_than_it_shows(
    crowded: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = await _values(crowded)
    with plans.recorded(monkeypatch) as asked:
        await _look_at_everything(crowded, values)
    different: dict[object, Question] = {question.shape: question for question in asked}
    assert len(different) > 30
    slow = {}
    for question in different.values():
        plan = await plans.plan_of(crowded.database, question)
        if plan and (found := list(plans.faults(plan, crowded.growing))):
            slow[" ".join(question.sql.split())] = found
    assert not slow, "\n\n".join(f"{sql}\n  {found}" for sql, found in slow.items())


async def test_the_first_page_asks_nothing_twice(
    crowded: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plans.recorded(monkeypatch) as asked:
        await crowded.brand.owner.look("/")
    # Who may do what is asked in each transaction anew.
    questions = [(one.sql, one.args) for one in asked if "workspace_members" not in one.sql]
    assert [sql for sql, args in questions if questions.count((sql, args)) > 1] == []
