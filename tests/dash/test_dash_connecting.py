"""Connecting and disconnecting on the pages, with the platform's stand-in on the other side."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from tests.dash.conftest import PAGE
from tests.infra.stack import WholeStack, quick_folder, running_stack

from selify_sandbox import demo

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[WholeStack]:
    """A brand whose account is connected, and nothing else."""
    with quick_folder() as folder:
        async with running_stack(folder) as running:
            async with running.brand() as brand:
                await brand.set_up(())
            yield running


@pytest_asyncio.fixture(loop_scope="session")
async def browser(stack: WholeStack) -> AsyncIterator[httpx.AsyncClient]:
    url = stack.parts.server_url
    headers = {**PAGE, "Origin": url}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as one:
        form = {"email": demo.EMAIL, "password": demo.PASSWORD}
        assert (await one.post("/sign-in", data=form)).status_code == 303
        yield one


async def subscribed(stack: WholeStack) -> tuple[str, ...]:
    """What the platform sends us of the brand's account."""
    async with stack.brand() as brand:
        (account,) = await brand.phone.accounts()
    return account.subscribed_fields


async def test_from_connect_to_disconnect(stack: WholeStack, browser: httpx.AsyncClient) -> None:
    async with stack.brand() as brand:
        await brand.sign_in()
        began = await browser.get("/connect/instagram", params={"workspace_id": brand.workspace_id})
        consent = began.headers["location"]
        back = await brand.phone.authorize(consent, demo.USERNAME)
        landed = await browser.get(back)
        goal = f"/accounts?workspace={brand.workspace_id}&done=connected#main"
        assert landed.headers["location"] == goal
        assert "Connected. Comments and messages reach your bot" in (await browser.get(goal)).text
        assert await subscribed(stack)

        account = (await brand.of_workspace("/accounts"))[0]["id"]
        gone = await browser.post(f"/accounts/{account}/disconnect")
        assert gone.status_code == 303
        # The platform itself was told: whatever is written from now on stays there.
        assert await subscribed(stack) == ()
        assert "is disconnected: shoppers get no answers" in (await browser.get("/")).text


@pytest.mark.parametrize("refuses", [True, False])
async def test_a_missing_permission_is_named_with_its_price_on_the_page_and_in_the_api(
    stack: WholeStack, browser: httpx.AsyncClient, refuses: bool
) -> None:
    """Whether the platform refuses to subscribe, or takes it and then sends nothing."""
    lost = [
        "Comments under your posts are not answered.",
        "Comments under your live videos are not answered.",
    ]
    why = "The permission to manage comments is missing."
    scopes = ("instagram_business_basic", "instagram_business_manage_messages")
    async with stack.brand() as brand:
        await brand.sign_in()
        await brand.phone.faults(refuse_unpermitted_fields=refuses)
        began = await browser.get("/connect/instagram", params={"workspace_id": brand.workspace_id})
        consent = began.headers["location"]
        back = await brand.phone.authorize(consent, demo.USERNAME, scopes=scopes)
        landed = (await browser.get(back)).headers["location"]
        assert "done=connected_partly" in landed
        shown = (await browser.get(landed)).text
        assert " ".join(lost) in shown
        assert why in shown
        assert "Connect again" in shown
        assert "messages" in await subscribed(stack), "and what may come comes"
        account = (await brand.of_workspace("/accounts"))[0]
        assert (account["missing"], account["health"]) == (lost, "unhealthy")
        assert account["error"] == " ".join([*lost, why])
        assert account["chief"]["what_to_do"].startswith("Connect the account again")
        await brand.phone.calm()
        await brand.connect_and_copy_posts()
        account = (await brand.of_workspace("/accounts"))[0]
        assert (account["missing"], account["health"], account["error"]) == ([], "healthy", None)


async def test_who_says_no_is_told_so_where_one_can_start_again(
    stack: WholeStack, browser: httpx.AsyncClient
) -> None:
    async with stack.brand() as brand:
        await brand.sign_in()
        began = await browser.get("/connect/instagram", params={"workspace_id": brand.workspace_id})
    state = httpx.URL(began.headers["location"]).params["state"]
    refused = {"state": state, "error": "access_denied", "error_reason": "user_denied"}
    landed = await browser.get("/connect/instagram/callback", params=refused)
    assert landed.status_code == 303
    assert landed.headers["location"] == "/accounts?refused=consent_denied#main"
    shown = (await browser.get(landed.headers["location"])).text
    assert "access was not allowed" in shown
    assert 'role="alert"' in shown
    forged = await browser.get("/connect/instagram/callback", params={**refused, "state": "forged"})
    assert forged.headers["location"] == "/accounts?refused=oauth_state_invalid#main"
    # A program gets the problem itself.
    plain = await browser.get(
        "/connect/instagram/callback", params=refused, headers={"Accept": "application/json"}
    )
    assert plain.status_code == 403
    assert plain.json()["code"] == "instagram_consent_denied"
