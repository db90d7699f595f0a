"""The open page of somebody who may look no more: it closes by itself, hears nothing after, and is let in nowhere
when it comes back.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import pytest
from tests.dash.conftest import Brand, Person
from tests.dash.test_dash_live import PATIENT, hint

from selify.dash.live import Changes
from selify.dash.stream import KEEP_ALIVE, events

LIVE = {"Accept": "text/event-stream"}


@dataclass
class Line:
    """An open page: what it was told, and whether the server has closed it."""

    heard: list[str] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, browser: httpx.AsyncClient, path: str) -> None:
        async with browser.stream("GET", path, headers=LIVE) as answer:
            assert answer.status_code == 200
            async for text in answer.aiter_lines():
                if text.startswith("event: "):
                    self.heard.append(text.removeprefix("event: "))
                    self.opened.set()
        self.ended.set()


@asynccontextmanager
async def open_page(brand: Brand, browser: httpx.AsyncClient) -> AsyncIterator[Line]:
    line = Line()
    task = asyncio.create_task(line.follow(browser, brand.at("/live")))
    async with asyncio.timeout(30):
        await line.opened.wait()
    yield line
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def removed(brand: Brand, member: Person) -> None:
    path = f"/api/v1/workspaces/{brand.id}/members/{member.id}"
    assert (await brand.owner.browser.delete(path)).status_code == 204


async def signed_out_everywhere(brand: Brand, member: Person) -> None:
    await brand.site.run("DELETE FROM auth.sessions WHERE user_id = $1", member.id)


async def banned(brand: Brand, member: Person) -> None:
    await brand.site.run(
        "UPDATE auth.users SET banned_until = now() + interval '1 day' WHERE id = $1", member.id
    )


async def account_deleted(brand: Brand, member: Person) -> None:
    await brand.site.run("UPDATE auth.users SET deleted_at = now() WHERE id = $1", member.id)


async def membership_over(brand: Brand, member: Person) -> None:
    await brand.site.run(
        "UPDATE public.workspace_members SET expires_at = now() WHERE user_id = $1", member.id
    )


async def workspace_deleted(brand: Brand, _: Person) -> None:
    await brand.site.run("UPDATE public.workspaces SET deleted_at = now() WHERE id = $1", brand.id)


ENDINGS: dict[Callable[[Brand, Person], Awaitable[None]], int] = {
    removed: 404,
    signed_out_everywhere: 401,
    banned: 401,
    account_deleted: 401,
    membership_over: 404,
    workspace_deleted: 404,
}


@pytest.mark.parametrize("ends", ENDINGS, ids=lambda one: one.__name__)
async def test_the_page_closes_and_hears_nothing_after(brand, ends) -> None:
    member = await brand.member("member")
    async with open_page(brand, member.browser) as line:
        await brand.hear("While they may")
        async with asyncio.timeout(30):
            while "social_messages" not in line.heard:  # noqa: ASYNC110 - a line tells nobody
                await asyncio.sleep(0.01)
        line.heard.clear()
        await ends(brand, member)
        await brand.hear("Not for them any more")
        async with asyncio.timeout(30):
            await line.ended.wait()
        assert set(line.heard) <= {"everything"}, "only what was due before"
    again = await member.browser.get(brand.at("/live"), headers={**LIVE, "Last-Event-ID": "1"})
    assert again.status_code == ENDINGS[ends]
    assert "event:" not in again.text
    await member.browser.aclose()


async def test_a_session_that_is_revoked_closes_its_own_pages_only(brand) -> None:
    """The same person on a phone and on a computer, and somebody else."""
    member = await brand.member("member")
    [phone] = await brand.site.run("SELECT id FROM auth.sessions WHERE user_id = $1", member.id)
    computer = brand.site.visitor(Origin=brand.site.url)
    signed_in = await computer.post(
        "/api/v1/auth/sign-in", json={"email": member.email, "password": "correct horse battery"}
    )
    assert signed_in.status_code == 200
    async with (
        open_page(brand, member.browser) as on_the_phone,
        open_page(brand, computer) as on_the_computer,
        open_page(brand, brand.owner.browser) as of_the_owner,
    ):
        await brand.site.run("DELETE FROM auth.sessions WHERE id = $1", phone["id"])
        async with asyncio.timeout(30):
            await on_the_phone.ended.wait()
        for line in (on_the_computer, of_the_owner):
            line.heard.clear()
        await brand.hear("Still here?")
        for line in (on_the_computer, of_the_owner):
            async with asyncio.timeout(30):
                while "social_messages" not in line.heard:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert not line.ended.is_set()
    assert (await computer.get("/api/v1/auth/me")).status_code == 200
    await computer.aclose()
    await member.browser.aclose()


async def test_what_they_had_begun_goes_nowhere(brand) -> None:
    """Nobody is assigned a conversation yet, and people answer on the platform itself: what an open page can
    still do is take one over, and hand it back.
    """
    member = await brand.member("member")
    await removed(brand, member)
    thread = f"/api/v1/workspaces/{brand.id}/conversations/{brand.conversation_id}"
    for method, path in (("POST", "take-over"), ("POST", "hand-back"), ("GET", "messages")):
        answer = await member.browser.request(method, f"{thread}/{path}")
        assert answer.status_code == 404
    await member.browser.aclose()


async def test_rights_are_asked_for_before_anything_else_is_said() -> None:
    """What was told in the same moment, too, and no word of the rights themselves reaches a page."""
    changes, mine = Changes(PATIENT), uuid4()
    asked: list[int] = []

    async def may_look() -> bool:
        asked.append(len(asked))
        return len(asked) < 3

    stream = events(changes, mine, may_look)
    told = [await anext(stream) for _ in range(2)]
    changes.heard(hint(mine, "rights"))
    told.append(await anext(stream))
    changes.heard(hint(mine, "social_messages"))
    told.append(await anext(stream))
    changes.heard(hint(mine, "social_messages"))
    changes.heard(hint(mine, "rights"))
    rest = [text async for text in stream]
    assert told[1:] == [
        "event: everything\ndata: changed\n\n",
        KEEP_ALIVE,
        "event: social_messages\ndata: changed\n\n",
    ]
    assert (rest, len(asked)) == ([], 3)
