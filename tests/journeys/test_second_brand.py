"""Somebody signs up beside the demo brand and connects a shop of their own: from the sign-up to the
picture, through the real doors, and out of each other's sight.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from tests.dash.conftest import PAGE
from tests.infra.stack import WholeStack, quick_folder, running_stack

from selify_sandbox import demo, drawn_garments

pytestmark = pytest.mark.slow

NAME = "Studio Sand & Co."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[WholeStack]:
    """The demo brand with one piece, and the shop nobody has connected yet."""
    with quick_folder() as folder:
        async with running_stack(folder) as running:
            async with running.brand() as brand:
                await demo.open_second_shop(brand.phone)
                await brand.set_up(demo.PIECES[-1:])
            yield running


@dataclass
class Newcomer:
    """Somebody who has just signed up with a brand."""

    browser: httpx.AsyncClient
    workspace_id: str

    async def consent(self) -> str:
        began = await self.browser.get(
            "/connect/instagram", params={"workspace_id": self.workspace_id}
        )
        return began.headers["location"]

    async def of_workspace(self, path: str) -> list[dict]:
        answer = await self.browser.get(
            f"/api/v1/workspaces/{self.workspace_id}{path}", headers={"Accept": "application/json"}
        )
        answer.raise_for_status()
        return answer.json()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def newcomer(stack: WholeStack) -> AsyncIterator[Newcomer]:
    url = stack.parts.server_url
    headers = {**PAGE, "Origin": url}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as one:
        form = {"email": "sand@people.example", "password": "three good words", "full_name": "Sia"}
        assert (await one.post("/sign-up", data=form)).status_code == 303
        assert (await one.post("/sign-in", data=form)).status_code == 303
        assert (await one.post("/brands", data={"name": NAME})).status_code == 303
        found = (await one.get("/api/v1/workspaces")).json()["workspaces"]
        (workspace,) = [w for w in found if w["name"] == NAME]
        yield Newcomer(one, workspace["id"])


async def test_the_consent_page_offers_both_shops_the_free_one_first(
    stack: WholeStack, newcomer: Newcomer
) -> None:
    async with stack.brand() as brand:
        shops = {shop.username: shop for shop in await brand.phone.accounts()}
    page = (await newcomer.browser.get(await newcomer.consent())).text
    assert f'value="{shops[demo.SECOND_USERNAME].id}" checked' in page
    assert f'value="{shops[demo.USERNAME].id}"  required' in page
    assert page.count("connected already") == 1


async def test_a_shop_of_ones_own_from_consent_to_picture(
    stack: WholeStack, newcomer: Newcomer
) -> None:
    async with stack.brand() as brand:
        phone = brand.phone
        back = await phone.authorize(await newcomer.consent(), demo.SECOND_USERNAME)
        landed = (await newcomer.browser.get(back)).headers["location"]
        assert landed == f"/accounts?workspace={newcomer.workspace_id}&done=connected#main"
        posts = await newcomer.of_workspace("/posts")
        assert {post["caption"] for post in posts} == {p.caption for p in demo.SECOND_PIECES}

        garment = await newcomer.browser.post(
            f"/api/v1/workspaces/{newcomer.workspace_id}/garments",
            data={"name": "Clay tee", "category": "upper_body"},
            files={"picture": ("tee.png", drawn_garments.wardrobe()[0].png())},
        )
        assert garment.status_code == 201, garment.text
        bound = await newcomer.browser.put(
            f"/api/v1/workspaces/{newcomer.workspace_id}/posts/{posts[0]['id']}/garment",
            json={"garment_id": garment.json()["id"], "confirmed": True},
        )
        assert bound.status_code == 200, bound.text

        await phone.create_shopper("sandra")
        await phone.comment("sandra", posts[0]["post_ref"], demo.COMMENT)
        thread = await phone.thread("sandra", demo.SECOND_USERNAME)
        greeting = await phone.wait_for_message(thread, timeout=demo.PATIENCE)
        await phone.send_photo("sandra", demo.SECOND_USERNAME, drawn_garments.wardrobe()[0].photo())
        picture = await phone.wait_for_message(
            thread, lambda m: bool(m.pictures), timeout=demo.PATIENCE, after=greeting.seq
        )
        assert await phone.picture(picture.pictures[0])

        assert [c["username"] for c in await newcomer.of_workspace("/conversations")] == ["sandra"]
        await brand.sign_in()
        assert await brand.of_workspace("/conversations") == []
        assert len(await brand.of_workspace("/posts")) == 1


async def test_neither_brand_can_connect_the_shop_of_the_other(
    stack: WholeStack, newcomer: Newcomer
) -> None:
    async with stack.brand() as brand:
        back = await brand.phone.authorize(await newcomer.consent(), demo.USERNAME)
        landed = await newcomer.browser.get(back)
        assert landed.headers["location"] == "/accounts?refused=connected_elsewhere#main"
        shown = (await newcomer.browser.get(landed.headers["location"])).text
        assert "connected in another workspace" in shown
        await brand.sign_in()
        (account,) = await brand.of_workspace("/accounts")
        assert (account["username"], account["status"]) == (demo.USERNAME, "active")
