"""What the pages, the bell and the API say of an account, and what can be done about it there."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from tests.dash.conftest import SYSTEM

from selify.core.clock import SystemClock
from selify.core.queue.outbox import OutboxWorker
from selify.messaging import health, send_backoff
from selify.notifications import NoticeChannel
from selify.notifications.outbox import CHANNEL as NOTICES

ROOMS = (
    "/",
    "/conversations",
    "/posts",
    "/wardrobe",
    "/accounts",
    "/engines",
    "/billing",
    "/settings",
    "/notifications",
)
REASON = "Please allow access to messages."


async def fail(brand, times: int = 1, **more) -> None:
    """Sends of the account fail, as ``sending`` writes it down; the brand is told."""
    for _ in range(times):
        async with brand.site.database.tx(SYSTEM) as tx:
            await health.failed(
                tx,
                brand.account_id,
                at=datetime.now(UTC),
                code="bad_parameter",
                reason=f"bad_parameter: {REASON}",
                **more,
            )
    worker = OutboxWorker(
        brand.site.database,
        {NOTICES: NoticeChannel(SystemClock())},
        clock=SystemClock(),
        worker_id="test",
    )
    while await worker.run_once():
        pass


async def hold(brand, *, may_end_early: bool) -> None:
    """A message of the account waits for a pause: it was queued, and put off when it was its turn."""
    now = datetime.now(UTC)
    async with brand.site.database.tx(SYSTEM) as tx:
        until = await send_backoff.pause(
            tx,
            brand.account_id,
            now=now,
            length=timedelta(hours=1),
            why=REASON,
            may_end_early=may_end_early,
        )
        await tx.execute(
            """
            INSERT INTO internal.outbox
                   (channel, key, ordering_key, payload, workspace_id, account_id, not_before)
            VALUES ('messages', $1::text, $1::text, '{"kind": "text"}', $2, $3, $4)
            """,
            str(brand.conversation_id),
            brand.id,
            brand.account_id,
            now,
        )
        await tx.execute(
            "UPDATE internal.outbox SET not_before = $2, last_error = $3 WHERE account_id = $1",
            brand.account_id,
            until,
            REASON,
        )


async def accounts_of(brand, person=None) -> list[dict]:
    answer = await (person or brand.owner).browser.get(f"/api/v1/workspaces/{brand.id}/accounts")
    assert answer.status_code == 200, answer.text
    found: list[dict] = answer.json()
    return found


async def due(brand) -> bool:
    rows = await brand.site.run(
        "SELECT not_before <= now() AS due FROM internal.outbox"
        " WHERE account_id = $1 AND channel = 'messages'",
        brand.account_id,
    )
    return bool(rows[0]["due"])


async def test_page_banner_bell_and_api_say_the_same(brand) -> None:
    await fail(brand, 3)
    (account,) = await accounts_of(brand)
    said = account["chief"]
    assert said["text"] == f"The latest sends all failed. {REASON}"
    assert (account["health"], account["error"]) == ("unhealthy", said["text"])
    (told,) = (await brand.owner.browser.get("/api/v1/notifications")).json()["notifications"]
    assert (told["title"], told["body"]) == (said["title"], said["text"])
    for room in ROOMS:
        shown = unescape(await brand.owner.look(room))
        assert shown.count(said["text"]) >= 2, room  # the bell's and the banner's
        assert said["title"] in shown, room
    assert "Needs your attention" in await brand.owner.look("/accounts")


async def test_another_brand_hears_nothing_of_it(brand, rival) -> None:
    await fail(rival, 3)
    assert REASON not in await brand.owner.look("/accounts")
    answer = await brand.owner.browser.get(f"/api/v1/workspaces/{rival.id}/accounts")
    assert answer.status_code == 404
    answer = await brand.owner.browser.post(
        f"/api/v1/workspaces/{brand.id}/accounts/{rival.account_id}/send-now"
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("script", [True, False])
async def test_what_waits_is_said_and_can_be_sent_now(brand, script: bool) -> None:
    await hold(brand, may_end_early=True)
    shown = unescape(re.sub(r"<[^>]+>", "", await brand.owner.look("/accounts")))
    assert "1 answer waits" in shown
    assert REASON in shown
    (account,) = await accounts_of(brand)
    (waits,) = account["waiting"]
    assert (waits["count"], waits["why"], waits["may_send_now"]) == (1, REASON, True)
    assert not await due(brand)
    path = brand.at(f"/accounts/{brand.account_id}/send-now")
    assert path in await brand.owner.look("/accounts")
    member = await brand.member("member")
    pressed = await member.post(path, script=script)
    assert pressed.status_code == (200 if script else 303)
    assert await due(brand)
    assert path not in await brand.owner.look("/accounts")
    again = await member.post(path, script=script)
    assert again.status_code == (200 if script else 303), "it is being tried already"
    await member.browser.aclose()


async def test_what_the_platform_wants_to_wait_cannot_be_hurried(brand) -> None:
    await hold(brand, may_end_early=False)
    path = brand.at(f"/accounts/{brand.account_id}/send-now")
    assert path not in await brand.owner.look("/accounts")
    refused = await brand.owner.post(path, script=True)
    assert refused.status_code == 409
    assert REASON in refused.text
    api = f"/api/v1/workspaces/{brand.id}/accounts/{brand.account_id}/send-now"
    answer = await brand.owner.browser.post(api)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_send_now")
    assert not await due(brand)


async def test_sending_now_through_the_api(brand) -> None:
    await hold(brand, may_end_early=True)
    api = f"/api/v1/workspaces/{brand.id}/accounts/{brand.account_id}/send-now"
    answer = await brand.owner.browser.post(api)
    assert (answer.status_code, answer.json()) == (200, {"tried": 1})
    assert await due(brand)


# --- Who answers, and a bot that is switched off ---


async def opened(brand) -> tuple[str, str]:
    """The header and the footer of the conversation, as they are read."""
    shown = await brand.owner.look(brand.at(f"/conversations/{brand.conversation_id}"))
    parts = [
        re.search(rf'<{tag} class="thread-{name}.*?</{tag}>', shown, re.DOTALL)
        for tag, name in (("header", "head"), ("footer", "foot"))
    ]
    head, foot = (" ".join(re.sub(r"<[^>]+>", " ", part[0]).split()) for part in parts if part)
    return unescape(head), unescape(foot)


async def set_state(brand, **changes) -> None:
    await brand.site.run(
        "UPDATE public.social_conversations SET conversation_state = conversation_state || $2"
        " WHERE id = $1",
        brand.conversation_id,
        changes,
    )


@pytest.mark.parametrize("handler", ["bot", "human"])
async def test_after_stop_header_footer_list_and_api_say_the_same(brand, handler: str) -> None:
    await set_state(brand, opted_out=True, stage="ended", handler=handler)
    head, foot = await opened(brand)
    assert "STOP" in head
    assert "STOP" in foot
    for wrong in ("The bot answers", "A person answers", "Take over"):
        assert wrong not in head
    assert "Answer in the app" not in foot
    people = await brand.owner.look(brand.at("/fragments/conversations"))
    assert "Asked us not to write" in people
    assert "A person answers" not in people
    answer = await brand.owner.browser.get(f"/api/v1/workspaces/{brand.id}/conversations")
    assert answer.json()[0]["answers"] == "nobody"


async def test_a_bot_whose_account_is_gone_does_not_answer(brand) -> None:
    await brand.owner.post(brand.at(f"/accounts/{brand.account_id}/disconnect"))
    head, foot = await opened(brand)
    assert "Not connected" in head
    assert "not connected" in foot


async def switch_off(brand, where: str) -> None:
    if where == "account":
        path = brand.at(f"/accounts/{brand.account_id}/settings")
        await brand.owner.post(path, script=True, language="en")
    else:
        await brand.site.run(
            """
            UPDATE public.workspaces SET social_platforms_config =
                   jsonb_set(social_platforms_config, '{platforms,instagram,tryon_enabled}', 'false')
             WHERE id = $1
            """,
            brand.id,
        )


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("where", ["account", "workspace"])
async def test_a_bot_that_is_switched_off_is_said_everywhere_and_switched_on_there(
    brand, where: str, script: bool
) -> None:
    words = "The bot of @nordlicht.shop is switched off"
    path = brand.at(f"/accounts/{brand.account_id}/switch-on")
    assert words not in await brand.owner.look("/")
    await switch_off(brand, where)
    for room in (*ROOMS, f"/accounts/{brand.account_id}/texts"):
        shown = await brand.owner.look(room)
        assert words in shown, room
        assert f'action="{path}"' in unescape(shown), room
    head, foot = await opened(brand)
    assert "The bot is switched off" in head
    assert "switched off" in foot
    (account,) = await accounts_of(brand)
    assert not account["bot_is_on"]

    member = await brand.member("member")
    shown = await member.look("/")
    assert words in shown
    assert "An owner or admin" in shown
    assert (await member.post(path)).status_code == 403
    await member.browser.aclose()

    pressed = await brand.owner.post(path, script=script)
    assert pressed.status_code == (200 if script else 303)
    assert words not in await brand.owner.look("/")
    (account,) = await accounts_of(brand)
    assert account["bot_is_on"]
    head, _ = await opened(brand)
    assert "The bot answers" in head


def tick(shown: str) -> bool:
    """Whether “Shoppers can try things on” is ticked."""
    found = re.search(r'<input [^>]*name="tryon_enabled"[^>]*>', shown)
    assert found
    return " checked" in found[0]


@pytest.mark.parametrize("script", [True, False])
async def test_saving_other_settings_leaves_an_account_s_own_switch_alone(
    brand, script: bool
) -> None:
    """While its workspace has switched try-on off for all, its own switch is still on."""
    await switch_off(brand, "workspace")
    shown = await brand.owner.look("/accounts")
    assert tick(shown)
    assert "whatever is ticked here: Nordlicht has switched it off" in shown
    typed = {"language": "en", "trigger_keywords": "anprobe"}
    on = {"tryon_enabled": "true"} if tick(shown) else {}
    path = brand.at(f"/accounts/{brand.account_id}/settings")
    saved = await brand.owner.post(path, script=script, **typed, **on)
    done = saved.text if script else await brand.owner.look(saved.headers["location"])
    assert "as soon as it is switched on for all accounts" in done
    await brand.owner.post(brand.at(f"/accounts/{brand.account_id}/switch-on"))
    (account,) = await accounts_of(brand)
    assert account["bot_is_on"]


@pytest.mark.parametrize("where", ["account", "workspace"])
async def test_the_switch_is_drawn_again_when_it_is_switched_elsewhere(brand, where: str) -> None:
    """An open page that still showed the old state would save it with the next keyword."""
    part = brand.at("/fragments/bot-switch") + f"&account={brand.account_id}"
    assert f'hx-get="{part}"' in unescape(await brand.owner.look("/accounts"))
    await switch_off(brand, where)
    assert tick(await brand.owner.look(part)) is (where == "workspace")
    await brand.owner.post(brand.at(f"/accounts/{brand.account_id}/switch-on"))
    shown = await brand.owner.look(part)
    assert tick(shown)
    assert "whatever is ticked" not in shown
    assert (await brand.owner.browser.get(brand.at("/fragments/bot-switch"))).status_code == 404


async def test_a_workspace_that_switches_its_platform_off_silences_its_bot(brand) -> None:
    from selify.messaging import repository
    from selify.tryon import bot_settings

    await switch_off(brand, "workspace")
    async with brand.site.database.tx(SYSTEM) as tx:
        account = await repository.account(tx, brand.account_id)
    assert account
    assert not bot_settings.is_on(account)
