"""A brand is deleted by its owner, says so wherever it was, and is brought back."""

from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from tests.dash.conftest import SYSTEM

from selify.auth import KEPT_FOR, create_workspace
from selify.core.clock import SystemClock
from selify.core.queue.outbox import OutboxWorker
from selify.notifications import NoticeChannel
from selify.notifications.outbox import CHANNEL as NOTICES

DANGER = "Delete this brand"


def page_of(brand) -> str:
    return f"/brands/{brand.id}/deleted"


async def delete(brand, person=None, *, name: str = "Nordlicht", script: bool = False):
    return await (person or brand.owner).post(
        brand.at("/settings/delete"), script=script, name=name
    )


async def is_deleted(brand) -> bool:
    rows = await brand.site.run(
        "SELECT deleted_at IS NOT NULL AS gone FROM public.workspaces WHERE id = $1", brand.id
    )
    return bool(rows[0]["gone"])


async def tell(brand) -> None:
    worker = OutboxWorker(
        brand.site.database,
        {NOTICES: NoticeChannel(SystemClock())},
        clock=SystemClock(),
        worker_id="test",
    )
    while await worker.run_once():
        pass


async def second_brand(brand, person) -> None:
    async with brand.site.database.tx(SYSTEM) as tx:
        await create_workspace(tx, name="Second", owner_id=person.id)


async def test_the_settings_stand_in_the_menu_of_every_page(brand) -> None:
    for room in ("/", "/posts", "/settings"):
        assert 'href="/settings"' in await brand.owner.look(room)
    shown = await brand.owner.look("/settings")
    assert "Brand settings" in shown
    assert "Nordlicht" in shown


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_only_an_owner_sees_and_does_it(brand, role: str) -> None:
    assert DANGER in await brand.owner.look("/settings")
    person = await brand.member(role)
    assert DANGER not in await person.look("/settings")
    for script in (True, False):
        assert (await delete(brand, person, script=script)).status_code == 403
    assert not await is_deleted(brand)
    assert (await delete(brand)).status_code == 303
    assert (await person.post(f"/brands/{brand.id}/restore")).status_code == 403
    assert await is_deleted(brand)
    shown = await person.look(page_of(brand))
    assert "an owner can bring it back" in " ".join(shown.split())
    assert "/restore" not in shown
    await person.browser.aclose()


@pytest.mark.parametrize("script", [True, False])
async def test_deleting_says_what_became_of_it_and_undoing_brings_it_back(
    brand, script: bool
) -> None:
    answer = await delete(brand, name=" Nordlicht ", script=script)
    assert answer.status_code == (200 if script else 303)
    assert answer.headers["hx-redirect" if script else "location"] == page_of(brand)
    shown = await brand.owner.look(page_of(brand))
    assert "Nordlicht was deleted" in shown
    assert await is_deleted(brand)

    undone = await brand.owner.post(f"/brands/{brand.id}/restore")
    assert undone.headers["location"] == f"/accounts?workspace={brand.id}&done=brand_restored"
    shown = await brand.owner.look(undone.headers["location"])
    assert "Your brand is back" in shown
    assert "is disconnected: shoppers get no answers" in unescape(shown)
    assert not await is_deleted(brand)
    again = await brand.owner.browser.get(page_of(brand))
    assert again.headers["location"] == f"/?workspace={brand.id}"
    pressed_twice = await brand.owner.post(f"/brands/{brand.id}/restore")
    assert pressed_twice.status_code == 303


async def test_every_address_of_it_says_so(brand) -> None:
    """Pages, parts of pages that are open in other tabs, and forms that are sent from there."""
    await delete(brand)
    goal = page_of(brand)
    rooms = (
        "/",
        "/posts",
        "/wardrobe",
        "/accounts",
        "/engines",
        "/billing",
        "/notifications",
        "/settings",
    )
    for room in rooms:
        answer = await brand.owner.browser.get(brand.at(room))
        assert (answer.status_code, answer.headers["location"]) == (303, goal), room
    scripted = {"HX-Request": "true"}
    part = await brand.owner.browser.get(brand.at("/fragments/banner"), headers=scripted)
    assert (part.status_code, part.headers["hx-redirect"]) == (200, goal)
    for script in (True, False):
        sent = await brand.owner.post(
            brand.at(f"/conversations/{brand.conversation_id}/take-over"), script=script
        )
        assert sent.headers["hx-redirect" if script else "location"] == goal
    assert (await delete(brand)).headers["location"] == goal  # sent twice


async def test_who_has_no_brand_left_can_make_one_or_undo(brand) -> None:
    await delete(brand)
    for room in ("/", "/posts", "/settings"):
        answer = await brand.owner.browser.get(room, follow_redirects=True)
        assert (answer.status_code, answer.url.path) == (200, "/brands/new")
        assert "Nordlicht was deleted" in answer.text
        assert f'href="{page_of(brand)}"' in answer.text
        assert "Create your brand" in answer.text


async def test_who_has_another_brand_goes_on_there_and_finds_the_way_back(brand) -> None:
    await second_brand(brand, brand.owner)
    await brand.owner.look(brand.at("/"))  # the one that would open next time
    await delete(brand)
    assert "To Second" in await brand.owner.look(page_of(brand))
    shown = await brand.owner.look("/")
    assert "Second" in shown
    assert f'href="{page_of(brand)}"' in shown
    assert "Deleted, kept until" in shown


async def test_everyone_in_it_is_told_where_they_can_read_it(brand) -> None:
    member = await brand.member("member")
    await second_brand(brand, member)
    await delete(brand)
    await tell(brand)
    shown = await member.look("/notifications")
    assert "Nordlicht was deleted" in shown
    assert "Notifications: 1 unread" in shown
    rows = await brand.site.run("SELECT id FROM public.notifications WHERE user_id = $1", member.id)
    opened = await member.post(f"/notifications/{rows[0]['id']}/open")
    assert opened.headers["location"].partition("?")[0] == page_of(brand)
    await brand.owner.post(f"/brands/{brand.id}/restore")
    await tell(brand)
    assert "Nordlicht is back" in await member.look(brand.at("/notifications"))
    await member.browser.aclose()


async def test_a_stranger_learns_nothing(brand, rival) -> None:
    await rival.owner.post(rival.at("/settings/delete"), name="Konkurrenz")
    for answer in (
        await brand.owner.browser.get(rival.at("/")),
        await brand.owner.browser.get(page_of(rival), follow_redirects=True),
        await brand.owner.post(f"/brands/{rival.id}/restore"),
        await brand.owner.browser.get(f"/brands/{uuid4()}/deleted", follow_redirects=True),
    ):
        assert answer.status_code == 404
        assert "Konkurrenz" not in answer.text
    assert await is_deleted(rival)


async def test_after_thirty_days_there_is_nothing_to_bring_back(brand) -> None:
    await delete(brand)
    await brand.site.run(
        "UPDATE public.workspaces SET deleted_at = deleted_at - $2::interval WHERE id = $1",
        brand.id,
        KEPT_FOR + timedelta(seconds=1),
    )
    late = await brand.owner.post(f"/brands/{brand.id}/restore")
    assert (late.status_code, "cannot be brought back" in late.text) == (410, True)
    gone = await brand.owner.browser.get(page_of(brand), follow_redirects=True)
    assert gone.status_code == 404
    assert "Nordlicht was deleted" not in await brand.owner.look("/")


async def test_another_website_deletes_and_restores_nothing(brand) -> None:
    evil = {"Origin": "https://evil.example"}
    browser = brand.owner.browser
    path = brand.at("/settings/delete")
    assert (await browser.post(path, data={"name": "Nordlicht"}, headers=evil)).status_code == 403
    await delete(brand)
    undo = f"/brands/{brand.id}/restore"
    assert (await browser.post(undo, headers=evil)).status_code == 403
    assert await is_deleted(brand)
