"""Every page and list there is, looked at by the member of a brand that has most of all rows.

Every address that can be looked at is found by itself and looked at with each of its parameters in
turn; what the server asks its database meanwhile is kept.
"""

import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from fastapi import FastAPI
from fastapi.routing import APIRoute
from tests.dash.conftest import SYSTEM, Brand, Site, open_brand, open_site
from tests.infra import crowd
from tests.infra import page_plans as plans
from tests.infra.page_plans import Question
from tests.infra.settings import Settings

from selify import billing
from selify.app import create_server
from selify.billing import UsagePart
from selify.billing.schemas import encode_cursor
from selify.core.cursor import Cursor
from selify.core.database import Database
from selify.messaging.queries import ConversationFilter
from selify.tryon import funnel

HALFWAY = datetime.now(UTC) - timedelta(days=crowd.DAYS / 2)
MANY_ROWS = 10_000
Values = Mapping[str, Callable[[str], list[object]]]
_NUMBERS = re.compile(r"[^/?=]{30,}")
# What only somebody from outside is answered, what never ends, and where no part of a page is.
NOT_LOOKED_AT = {
    "/live",
    "/fragments/{name}",
    "/api/v1/realtime",
    "/files/{token}",
    "/connect/{platform}",
    "/connect/{platform}/callback",
    "/posts/{post_id}/picture",
    "/readyz",
    "/metrics",
    # One row each, which a secret or an id names that only a mail holds.
    "/confirm-email",
    "/reset",
    "/change-email",
    "/undo-email",
    "/mailbox/{mail_id}",
    # Of whoever asked for it, and of holdings: a few rows each.
    "/api/v1/auth/export",
    "/api/v1/workspaces/{workspace_id}/brands/{brand_id}/numbers",
}


@dataclass(frozen=True)
class Crowd:
    """A site full of rows, and who has most of them."""

    site: Site
    brand: Brand
    growing: frozenset[str]
    size: crowd.Size

    @property
    def database(self) -> Database:
        return self.site.database

    async def one(self, sql: str) -> UUID:
        return (await self.site.run(sql, self.brand.id))[0]["id"]


@dataclass(frozen=True, slots=True)
class Look:
    """One address was looked at. ``name``: without what is different in each database."""

    name: str
    questions: tuple[Question, ...]


@contextlib.asynccontextmanager
async def open_crowd(
    server_url: str, template: str, folder: Path, size: crowd.Size
) -> AsyncIterator[Crowd]:
    """The server on a full database, which goes with it."""
    async with open_site(server_url, template, "crowd", folder) as site:
        brand, rival = await open_brand(site, "Nordlicht"), await open_brand(site, "Konkurrenz")
        await crowd.fill(site.database.url, _owner(brand), _owner(rival), size)
        async with site.database.tx(SYSTEM) as tx:
            now = datetime.now(UTC)
            # Early in the morning yesterday is not over yet.
            days = crowd.DAYS - ((now - funnel.SETTLED).date() < now.date())
            assert await funnel.count_days(tx, now=now) == 2 * days
            assert await billing.count_days(tx, now=now) == 2 * days
        growing = await site.run(
            "SELECT relname::text AS name FROM pg_class WHERE relkind = 'r' AND reltuples > $1",
            MANY_ROWS,
        )
        yield Crowd(site, brand, frozenset(row["name"] for row in growing), size)
        for one in (brand, rival):
            await one.owner.browser.aclose()


def _owner(brand: Brand) -> crowd.Owner:
    return crowd.Owner(brand.id, brand.account_id, brand.owner.id)


async def look_at_everything(of: Crowd) -> list[Look]:
    """Some parts are drawn only of what a parameter names; each address shows something at last."""
    looks: list[Look] = []
    seen: dict[str, bool] = {}
    values = await _values(of)
    app = create_server(Settings(data_dir="unused", database_url="postgresql://unused"))
    for route in _routes(app):
        for path, query in _addresses(route, values):
            with plans.recorded() as asked:
                answer = await of.brand.owner.browser.get(path, params=query)
            assert answer.status_code < 500, (path, query, answer.text[:300])
            seen[path] = seen.get(path, False) or answer.is_success or answer.is_redirect
            looks.append(Look(_name(path, query), tuple(asked)))
    unseen = [path for path, shown in seen.items() if not shown]
    assert not unseen, unseen
    return looks


def _name(path: str, query: Mapping[str, str]) -> str:
    asked = "".join(f"?{name}={value}" for name, value in query.items())
    return _NUMBERS.sub("…", f"{path}{asked}")


def _routes(app: FastAPI) -> Iterator[APIRoute]:
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        for found in inner.routes if inner else [route]:
            if (
                isinstance(found, APIRoute)
                and "GET" in found.methods
                and found.path not in NOT_LOOKED_AT
            ):
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
            f"SELECT id FROM public.{table} WHERE {owner}"
            f" ORDER BY {at} OFFSET {of.size.things // 25} LIMIT 1"
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
        "user_id": brand.owner.id,
        "brand_id": brand.id,
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
        "worn_with": garment,
        "return_to": "/",
        "people": Cursor(HALFWAY, conversation),
    }
    rows = {
        "posts": post,
        "garments": garment,
        "conversations": Cursor(HALFWAY, conversation),
        "audit": garment,  # any id: the lines are in their order
    }

    def after(path: str) -> list[object]:
        row = rows.get(path.rpartition("/")[2])
        return [row] if path.startswith("/api") else [Cursor(HALFWAY, garment)]

    return {
        **{name: lambda _, value=value: [value] for name, value in known.items()},
        "wanted": lambda _: [one.value for one in ConversationFilter],
        "search": lambda _: ["forest dress", "forest 400"],  # many are called so, and few
        "q": lambda _: ["forest dress", "forest 400"],
        "after": after,
        "before": lambda path: [message if path.startswith("/api") else Cursor(HALFWAY, message)],
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
