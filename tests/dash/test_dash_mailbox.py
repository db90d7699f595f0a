"""The mailbox of a machine without a mail server: for who sits at it, and for our team."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from tests.dash.conftest import SYSTEM, Site
from tests.infra.settings import Settings

from selify.app import create_server
from selify.core.clock import SystemClock
from selify.core.queue.outbox import OutboxWorker
from selify.notifications.email import CHANNEL, Button, Email, Mailer
from selify.notifications.email.delivery import LocalMailboxChannel

HOSTILE = '<img src=x onerror="alert(1)"> https://evil.example/x javascript:alert(1)'


@pytest.fixture
async def mail(site: Site) -> AsyncIterator[Email]:
    """One, delivered, that says what it can against us."""
    mailer = Mailer(site.authenticator.mailer.box, site.url)
    subject = f"Mail {uuid4()} <b>"
    sent = Email(
        to="lena@shop.example",
        subject=subject,
        paragraphs=[HOSTILE, f"{site.url}.evil.example/y {site.url}/ok?a=1&b=2"],
        language="en",
        button=Button("Go", "/reset?token=abc"),
    )
    async with site.database.tx(SYSTEM) as tx:
        await mailer.send(tx, sent, key=subject, now=datetime.now(UTC))
    channel = LocalMailboxChannel(mailer.box)
    worker = OutboxWorker(site.database, {CHANNEL: channel}, clock=SystemClock(), worker_id="t")
    while await worker.run_once():
        pass
    yield sent
    await site.run("DELETE FROM internal.local_mails")


async def address_of(site: Site) -> str:
    [row] = await site.run("SELECT id FROM internal.local_mails ORDER BY id DESC LIMIT 1")
    return f"/mailbox/{row['id']}"


async def test_who_sits_at_the_machine_reads_it(site: Site, mail: Email) -> None:
    path = await address_of(site)
    async with site.visitor() as visitor:
        listed, shown = await visitor.get("/mailbox"), await visitor.get(path)
    assert (listed.status_code, shown.status_code) == (200, 200)
    assert f'href="{path}"' in listed.text
    for page in (listed, shown):
        assert page.headers["referrer-policy"] == "no-referrer"
        assert mail.subject.replace("<b>", "&lt;b&gt;") in page.text
        assert "<b>" not in page.text


async def test_what_a_mail_says_is_text_and_only_our_own_links_are_links(site, mail) -> None:
    async with site.visitor() as visitor:
        shown = (await visitor.get(await address_of(site))).text
    assert "<img" not in shown
    assert "&lt;img src=x onerror=" in shown
    assert f'<a href="{site.url}/reset?token=abc" rel="noreferrer">' in shown
    assert f'<a href="{site.url}/ok?a=1&amp;b=2" rel="noreferrer">' in shown
    assert 'href="https://evil' not in shown
    assert f'href="{site.url}.evil' not in shown
    assert 'href="javascript' not in shown


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Host": "evil.example"},  # a website whose name was bent to this machine
        {"Host": "evil.example:8700"},
        {"Host": "127.0.0.1.evil.example"},
    ],
)
async def test_nobody_else_sees_that_it_is_there(site: Site, mail: Email, headers) -> None:
    path, nowhere = await address_of(site), f"/mailbox/{uuid4()}"
    member = await site.join("member")
    async with site.visitor(**headers) as visitor, member.browser as signed_in:
        for address in ("/mailbox", path, nowhere):
            assert (await visitor.get(address)).status_code == 404
            assert (await signed_in.get(address, headers=headers)).status_code == 404
        there, elsewhere = await visitor.get(path), await visitor.get("/mailboxes")
    assert there.headers["content-type"] == elsewhere.headers["content-type"]


async def test_our_team_reads_it_from_anywhere(site: Site, mail: Email) -> None:
    person = await site.join("team")
    await site.run(
        """UPDATE auth.users SET raw_app_meta_data = '{"team": true}' WHERE id = $1""", person.id
    )
    async with person.browser as browser:
        answer = await browser.get("/mailbox", headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer.status_code == 200


async def test_with_a_mail_server_there_is_none(site: Site, mail: Email, tmp_path) -> None:
    path = await address_of(site)
    settings = Settings(
        database_url=site.database.url,
        data_dir=tmp_path,
        public_url="http://127.0.0.1:8700",
        mail_server="smtp://mail.example",
    )
    app = create_server(settings)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=settings.public_url) as client,
    ):
        assert (await client.get("/mailbox")).status_code == 404
        assert (await client.get(path)).status_code == 404
        assert (await client.get("/sign-in")).status_code == 200


async def test_long_lists_go_on(site: Site, mail: Email) -> None:
    box = site.authenticator.mailer.box
    from selify.core.ids import new_id
    from selify.notifications.email import Letter, local_mailbox

    letter = Letter.of(mail, public_url=site.url)
    async with site.database.tx(SYSTEM) as tx:
        for _ in range(60):
            await local_mailbox.keep(tx, box, letter, mail_id=new_id(), at=datetime.now(UTC))
    async with site.visitor() as visitor:
        first = (await visitor.get("/mailbox")).text
        assert first.count('href="/mailbox/') == 50
        [rest] = [part.split('"')[0] for part in first.split('href="/mailbox?before=')[1:]]
        second = (await visitor.get(f"/mailbox?before={rest}")).text
        assert second.count('href="/mailbox/') == 11
        assert (await visitor.get("/mailbox?before=x")).status_code == 422


@pytest.mark.parametrize(
    ("public_url", "host", "status"),
    [
        ("http://127.0.0.1:8700", "127.0.0.1:8700", 200),
        ("http://127.0.0.1:8700", "localhost:8700", 200),
        ("http://shop.test", "shop.test", 200),
        ("http://shop.test", "evil.example", 404),
        ("https://shop.test", "127.0.0.1:8700", 404),  # as a proxy that says nothing of the visitor
        ("https://shop.test", "shop.test", 404),
    ],
)
async def test_by_https_there_is_a_proxy_whatever_it_says(
    site: Site, mail: Email, tmp_path, public_url: str, host: str, status: int
) -> None:
    settings = Settings(
        database_url=site.database.url,
        data_dir=tmp_path,
        public_url=public_url,
        secret_keys="k1:" + "A" * 43,
        instagram_app_secret="not the demo's",
        instagram_verify_token="not the demo's",
    )
    app = create_server(settings)
    await site.run("DELETE FROM internal.local_mails")
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=public_url) as client,
    ):
        answer = await client.get("/mailbox", headers={"Host": host})
    assert answer.status_code == status
