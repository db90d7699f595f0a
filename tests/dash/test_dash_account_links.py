"""Pages that mailed links open: looking at them changes nothing, their button does, once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from tests.auth.mailbox import once
from tests.dash.conftest import PASSWORD, SYSTEM, Person, Site

from selify.auth import ClientInfo
from selify.auth.account import email_change
from selify.auth.types import Session
from selify.core.clock import SystemClock
from selify.core.queue.outbox import OutboxWorker
from selify.notifications.email import CHANNEL, local_mailbox
from selify.notifications.email.delivery import LocalMailboxChannel

CLIENT = ClientInfo("198.51.100.77", None)
# In a browser that hides where the form's page is, as these ask it to.
HIDDEN = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
KINDS = ("/confirm-email", "/reset", "/change-email", "/undo-email")


@pytest.fixture(autouse=True)
async def nobody_guessed(site: Site) -> None:
    """All of them come from one place, and each uses a link twice."""
    await site.run("DELETE FROM internal.sign_in_attempts")


async def links_to(site: Site, page: str, address: str) -> list[str]:
    """Paths, the oldest first."""
    channel = LocalMailboxChannel(site.authenticator.mailer.box)
    worker = OutboxWorker(site.database, {CHANNEL: channel}, clock=SystemClock(), worker_id="t")
    while await worker.run_once():
        pass
    async with site.database.tx(SYSTEM) as tx:
        mails = await local_mailbox.list_mails(tx, channel.box, limit=1000)
    links = [mail.letter.link for mail in reversed(mails) if mail.letter.to == address]
    return [link.removeprefix(site.url) for link in links if urlsplit(link).path == page]


@dataclass
class Mailed:
    """A link that is out, and whose it is."""

    person: Person
    path: str
    page: str

    @property
    def token(self) -> str:
        return urlsplit(self.path).query.removeprefix("token=")

    def form(self, field: str) -> dict[str, str]:
        return {"token": self.token, "once": field, "password": "quite another password"}


async def session_of(site: Site, person: Person) -> Session:
    signed_in = await site.authenticator.sign_in(
        email=person.email, password=PASSWORD, client=CLIENT
    )
    return signed_in.session


async def mail_link(site: Site, page: str) -> Mailed:
    person = await site.join("lena")
    address = person.email
    async with site.visitor(Origin=site.url) as visitor:
        if page == "/reset":
            await visitor.post("/forgot", data={"email": address})
        elif page != "/confirm-email":
            address = f"{uuid4().hex}@new.example"
            await email_change.ask(
                site.authenticator,
                await session_of(site, person),
                password=PASSWORD,
                email=address,
                client=CLIENT,
            )
    if page == "/undo-email":
        [change] = await links_to(site, "/change-email", address)
        token = urlsplit(change).query.removeprefix("token=")
        await email_change.confirm(site.authenticator, secret=token, client=CLIENT)
        address = person.email
    [path] = await links_to(site, page, address)
    return Mailed(person, path, page)


@pytest.fixture(params=KINDS)
async def mailed(site: Site, request: pytest.FixtureRequest) -> Mailed:
    return await mail_link(site, request.param)


async def state(site: Site) -> list[object]:
    """Everything a link could change."""
    tables = ("auth.users", "auth.sessions", "internal.one_time_links", "public.sso_audit_log")
    rows = [await site.run(f"SELECT t::text FROM {table} t ORDER BY 1") for table in tables]
    return [[row[0] for row in found] for found in rows]


Asks = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_scanner_that_fetches_it_uses_nothing_up(site: Site, mailed: Mailed, method):
    before = await state(site)
    async with site.visitor() as scanner:
        for _ in range(5):
            answer = await scanner.request(method, mailed.path, follow_redirects=True)
            assert answer.status_code in (200, 405)
    async with mailed.person.browser as own:
        assert (await own.get(mailed.path)).status_code == 200
    assert await state(site) == before
    await button(site, mailed)


async def button(site: Site, mailed: Mailed) -> httpx.Response:
    """The person opens the link and presses the button."""
    async with site.visitor(**HIDDEN) as person:
        page = await person.get(mailed.path)
        assert page.status_code == 200
        answer = await person.post(mailed.page, data=mailed.form(once(page.text)))
        assert answer.status_code == 303, answer.text
        again = await person.post(mailed.page, data=mailed.form(once(page.text)))
        assert again.status_code == 410
        assert (await person.get(mailed.path)).status_code == 410
    return answer


async def test_without_the_page_s_field_nothing_happens(site: Site, mailed: Mailed) -> None:
    other = await mail_link(site, mailed.page)
    async with site.visitor(Origin=site.url) as scanner:
        foreign = once((await scanner.get(other.path)).text)
        before = await state(site)
        for field in ("", "x", foreign, mailed.token, "v1.k1.AAAA"):
            answer = await scanner.post(mailed.page, data=mailed.form(field))
            assert answer.status_code == 403
        missing = await scanner.post(mailed.page, data={"token": mailed.token})
        assert missing.status_code == 403
    assert await state(site) == before
    await button(site, mailed)


async def test_another_website_cannot_press_it(site: Site, mailed: Mailed) -> None:
    async with site.visitor() as reader:
        form = mailed.form(once((await reader.get(mailed.path)).text))
        before = await state(site)
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "null", "Sec-Fetch-Site": "same-site"},
        ):
            answer = await reader.post(mailed.page, data=form, headers=headers)
            assert answer.status_code == 403
    assert await state(site) == before


async def test_its_secret_goes_to_no_other_host(site: Site, mailed: Mailed) -> None:
    async with site.visitor(**HIDDEN) as person:
        page = await person.get(mailed.path)
        assert page.headers.get_list("referrer-policy") == ["no-referrer"]
        assert "://" not in page.text.replace(site.url, "")
        answer = await person.post(mailed.page, data=mailed.form(once(page.text)))
    assert mailed.token not in answer.headers["location"]
    if "token" in answer.headers["location"]:
        assert answer.headers["referrer-policy"] == "no-referrer"


async def test_a_password_that_is_no_good_leaves_the_page_as_it_was(site: Site) -> None:
    mailed = await mail_link(site, "/reset")
    async with site.visitor(**HIDDEN) as person:
        form = mailed.form(once((await person.get(mailed.path)).text))
        refused = await person.post("/reset", data={**form, "password": "short"})
        assert refused.status_code == 422
        assert refused.headers.get_list("referrer-policy") == ["no-referrer"]
        assert "short" not in refused.text
        again = {**form, "once": once(refused.text)}
        done = await person.post("/reset", data=again)
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert person.cookies[site.authenticator.cookie_name]
        assert (await person.get("/brands/new")).status_code == 200


async def test_who_never_confirmed_is_told_whose_account_it_is(site: Site) -> None:
    mailed = await mail_link(site, "/reset")
    async with site.visitor() as person:
        page = (await person.get(mailed.path)).text
    assert "There is an account with this address" in page
    assert "Set a new password" in page


async def test_forgetting_looks_the_same_for_everybody(site: Site) -> None:
    person = await site.join("lena")
    async with site.visitor(Origin=site.url) as visitor:
        assert 'href="/forgot"' in (await visitor.get("/sign-in")).text
        assert (await visitor.get("/forgot")).status_code == 200
        known = await visitor.post("/forgot", data={"email": person.email})
        unknown = await visitor.post("/forgot", data={"email": "nobody@people.example"})
        wrong = await visitor.post("/forgot", data={"email": "nobody"})
    assert known.status_code == unknown.status_code == 202
    assert known.text == unknown.text
    assert wrong.status_code == 422


async def test_signing_up_looks_the_same_for_everybody(site: Site) -> None:
    person = await site.join("lena")
    pages = []
    for email in (person.email, f"{uuid4().hex}@people.example"):
        async with site.visitor(Origin=site.url) as visitor:
            form = {"email": email, "password": "three good words", "full_name": "L"}
            answer = await visitor.post("/sign-up", data=form)
            assert not visitor.cookies
            shown = await visitor.get(answer.headers["location"])
            pages.append((answer.status_code, answer.headers["location"], shown.text))
    assert pages[0] == pages[1]


async def test_undoing_leads_on_to_a_new_password(site: Site) -> None:
    mailed = await mail_link(site, "/undo-email")
    answer = await button(site, mailed)
    goal = urlsplit(answer.headers["location"])
    assert goal.path == "/reset"
    async with site.visitor() as person:
        assert mailed.person.email in (await person.get(answer.headers["location"])).text


@pytest.mark.parametrize("page", KINDS)
async def test_what_was_never_made_is_gone(site: Site, page: str) -> None:
    async with site.visitor(Origin=site.url) as visitor:
        for token in ("", "x", "a" * 43):
            answer = await visitor.get(page, params={"token": token})
            assert answer.status_code == 410
