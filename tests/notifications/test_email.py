"""Mails to our own users: once, after the commit, in their language, and nothing of them stays."""

import asyncio
import email
import email.policy
from datetime import timedelta

import aiosmtpd.smtp
import pytest

from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database
from selify.core.language import _
from selify.core.pruning import prune
from selify.core.queue.outbox import OutboxWorker
from selify.core.secrets import SecretBox
from selify.notifications.email import CHANNEL, Button, Email, Mailer, local_mailbox, mailer
from selify.notifications.email.delivery import LocalMailboxChannel, MailServerChannel
from selify.notifications.email.letter import Letter
from selify.notifications.email.settings import EmailSettings, MailServer

SYSTEM = Actor.system("test")
URL = "https://shop.example"
LINK = "/reset?token=a-secret-nobody-else-has"
SETTINGS = EmailSettings(public_url=URL, mail_from="Selify <hello@shop.example>")


class Sink:
    """A mail server that says what it was told to, and remembers what it took."""

    def __init__(self):
        self.answers, self.mails, self.recipients = [], [], []

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.answers:
            answer = self.answers.pop(0)
            if not answer.startswith("2"):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 taken"


@pytest.fixture
async def sink():
    made = Sink()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: aiosmtpd.smtp.SMTP(made, hostname="sink", loop=loop), "127.0.0.1", 0
    )
    made.server = MailServer("127.0.0.1", server.sockets[0].getsockname()[1], "none", None, None)
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture
def post(secrets):
    return Mailer(secrets, URL)


def letter(to="lena@shop.example", **more):
    said = {
        "subject": _("Set a new password"),
        "paragraphs": [_("Somebody asked for a new password for this address.")],
        "language": "en",
        "button": Button(_("Set a new password"), LINK),
    }
    return Email(to=to, **(said | more))


def worker_of(database, channel, clock):
    return OutboxWorker(database, {CHANNEL: channel}, clock=clock, worker_id="test")


@pytest.fixture
def server_worker(database, secrets, sink, clock):
    channel = MailServerChannel(secrets, sink.server, SETTINGS.mail_sender)
    return worker_of(database, channel, clock)


@pytest.fixture
def local_worker(database, secrets, clock):
    return worker_of(database, LocalMailboxChannel(secrets), clock)


async def sent(database, post, clock, *mails, key="reset/1"):
    async with database.tx(SYSTEM) as tx:
        return [await post.send(tx, mail, key=key, now=clock.now()) for mail in mails]


async def rows(database: Database, sql="SELECT * FROM internal.outbox ORDER BY id"):
    async with database.tx(SYSTEM) as tx:
        return await tx.fetch(sql)


async def test_nothing_leaves_before_the_commit(database, post, server_worker, sink, clock):
    with pytest.raises(ZeroDivisionError):
        async with database.tx(SYSTEM) as tx:
            await post.send(tx, letter(), key="reset/1", now=clock.now())
            raise ZeroDivisionError
    assert await server_worker.run_once() == 0
    async with database.tx(SYSTEM) as tx:
        await post.send(tx, letter(), key="reset/1", now=clock.now())
        assert await server_worker.run_once() == 0
    assert await server_worker.run_once() == 1
    assert len(sink.mails) == 1


async def test_the_same_key_is_sent_once(database, post, server_worker, sink, clock):
    assert await sent(database, post, clock, letter(), letter()) == [True, False]
    await server_worker.run_once()
    assert await sent(database, post, clock, letter()) == [False]
    await server_worker.run_once()
    assert len(sink.mails) == 1


async def test_what_a_mail_looks_like(database, post, server_worker, sink, clock):
    await sent(database, post, clock, letter())
    clock.advance(timedelta(minutes=3))
    await server_worker.run_once()
    [mail] = sink.mails
    assert sink.recipients == [["lena@shop.example"]]
    assert mail["To"] == "lena@shop.example"
    assert mail["From"] == "Selify <hello@shop.example>"
    assert mail["Subject"] == "Set a new password"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == clock.now() - timedelta(minutes=3)
    assert mail["Message-ID"].endswith("@shop.example>")
    plain, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert URL + LINK in plain
    assert html.count(f'href="{URL}{LINK}"') == 2
    assert mail.get_content_type() == "multipart/alternative"


async def test_it_speaks_the_recipients_language(database, post, server_worker, sink, clock):
    await sent(database, post, clock, letter(subject=_("Create an account"), language="de"))
    await sent(database, post, clock, letter(language="xx"), key="2")
    await server_worker.run_once()
    await server_worker.run_once()
    german, english = sink.mails
    assert german["Subject"] == "Konto anlegen"
    assert german["Content-Language"] == "de"
    assert english["Subject"] == "Set a new password"


async def test_one_mailbox_is_written_to_in_order(database, post, server_worker, sink, clock):
    for number in range(3):
        mail = letter(subject=_("Number %(number)s", number=number))
        await sent(database, post, clock, mail, key=str(number))
    assert await server_worker.run_once() == 1
    await server_worker.run_once()
    await server_worker.run_once()
    assert [mail["Subject"] for mail in sink.mails] == ["Number 0", "Number 1", "Number 2"]


async def test_nothing_of_it_can_be_read_and_nothing_stays(
    database, post, server_worker, sink, clock
):
    await sent(database, post, clock, letter())
    [row] = await rows(database)
    assert "a-secret" not in str(dict(row))
    assert "lena" not in str(dict(row))
    await server_worker.run_once()
    [row] = await rows(database)
    assert (row["state"], row["payload"]) == ("sent", {"version": 1})


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\x00", "\u2028", "\x85"])
async def test_no_name_becomes_a_header(database, post, server_worker, sink, clock, sign):
    brand = f"Nord{sign}Bcc: all@evil.example{sign}{sign}Hello"
    mail = letter(subject=_("%(brand)s invites you", brand=brand))
    await sent(database, post, clock, mail)
    await server_worker.run_once()
    [mail] = sink.mails
    assert mail["Bcc"] is None
    assert sink.recipients == [["lena@shop.example"]]
    assert mail["Subject"].startswith("Nord Bcc: all@evil.example Hello")


@pytest.mark.parametrize(
    "to",
    [
        "lena@shop.example\r\nBcc: x@evil.example",
        "lena@shop.example, x@evil.example",
        "Lena <lena@shop.example>",
        "lena@shop.example\x00",
        '"a b"@shop.example',
        "lena",
        "",
        "lena@m\u00fcller.example",
    ],
)
async def test_a_mail_goes_to_one_mailbox(database, post, clock, to):
    with pytest.raises(ValueError, match="one mailbox"):
        await sent(database, post, clock, letter(to))
    assert not await rows(database)


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\\evil", "reset"])
async def test_links_lead_to_ourselves(database, post, clock, path):
    with pytest.raises(ValueError, match="our own"):
        await sent(database, post, clock, letter(button=Button("Go", path)))


async def test_text_is_no_markup(database, post, server_worker, sink, clock):
    await sent(database, post, clock, letter(paragraphs=["<script>alert(1)</script>"]))
    await server_worker.run_once()
    [mail] = sink.mails
    assert "<script>" not in mail.get_body(("html",)).get_content()
    assert "<script>alert(1)</script>" in mail.get_body(("plain",)).get_content()


async def test_a_server_that_puts_off_is_asked_again(database, post, server_worker, sink, clock):
    sink.answers = ["451 4.7.1 greylisted, try again later"]
    await sent(database, post, clock, letter())
    await server_worker.run_once()
    [row] = await rows(database)
    assert row["state"] == "queued"
    assert "greylisted" in row["last_error"]
    assert row["not_before"] > clock.now() + timedelta(seconds=30)
    assert not sink.mails
    clock.advance(timedelta(minutes=2))
    await server_worker.run_once()
    assert len(sink.mails) == 1


async def test_a_server_that_refuses_ends_it(database, post, server_worker, sink, clock):
    sink.answers = ["550 5.1.1 no such user"]
    await sent(database, post, clock, letter())
    await server_worker.run_once()
    [row] = await rows(database)
    assert (row["state"], row["result"]) == ("failed", {"code": "mail_refused_550"})
    assert "no such user" in row["last_error"]
    assert row["payload"] == {"version": 1}
    clock.advance(timedelta(days=1))
    assert await server_worker.run_once() == 0


async def test_a_server_that_is_away_is_waited_for(database, post, secrets, sink, clock):
    nobody = MailServer("127.0.0.1", 1, "none", None, None)
    away = worker_of(database, MailServerChannel(secrets, nobody, SETTINGS.mail_sender), clock)
    back = worker_of(database, MailServerChannel(secrets, sink.server, SETTINGS.mail_sender), clock)
    await sent(database, post, clock, letter())
    await away.run_once()
    [row] = await rows(database)
    assert row["state"] == "queued"
    clock.advance(timedelta(hours=1))
    await back.run_once()
    assert len(sink.mails) == 1


async def test_a_password_the_server_does_not_take_costs_no_mail(
    database, post, secrets, sink, clock
):
    """It is the installation's fault, and no letter is given up for it."""
    wrong = MailServer("127.0.0.1", sink.server.port, "none", "us", "wrong")
    worker = worker_of(database, MailServerChannel(secrets, wrong, SETTINGS.mail_sender), clock)
    await sent(database, post, clock, letter())
    await worker.run_once()
    [row] = await rows(database)
    assert row["state"] == "queued"
    assert "wrong" not in row["last_error"]


async def test_one_that_was_killed_while_sending_is_sent_again_under_the_same_id(
    database, post, server_worker, sink, clock
):
    await sent(database, post, clock, letter())
    await server_worker.run_once()
    async with database.tx(
        SYSTEM
    ) as tx:  # as if the worker had died before it could write that down
        await tx.execute(
            "UPDATE internal.outbox SET state = 'sending', leased_until = $1, sent_at = NULL,"
            " payload = $2",
            clock.now(),
            {"sealed": mailer.sealed(post.box, Letter.of(letter(), public_url=URL), "reset/1")},
        )
    clock.advance(timedelta(minutes=1))
    await server_worker.recover()
    await server_worker.finish_reconciling()
    clock.advance(timedelta(minutes=5))
    await server_worker.run_once()
    first, again = sink.mails
    assert first["Message-ID"] == again["Message-ID"]


async def test_a_letter_no_key_opens_fails_in_words(database, post, sink, clock):
    other = SecretBox.parse([SecretBox.new_key("k9")])
    channel = MailServerChannel(other, sink.server, SETTINGS.mail_sender)
    await sent(database, post, clock, letter())
    await worker_of(database, channel, clock).run_once()
    [row] = await rows(database)
    assert (row["state"], row["result"]) == ("failed", {"code": "secret_unreadable"})


async def test_keys_can_be_changed_while_mails_wait(database, post, local_worker, clock):
    await sent(database, post, clock, letter())
    await local_worker.run_once()
    await sent(database, post, clock, letter(), key="waits")
    keys = [SecretBox.new_key("k2"), f"k1:{_encoded(post.box)}"]
    box = SecretBox.parse(keys)
    used = [mailer.KEYS_IN_USE, local_mailbox.KEYS_IN_USE]
    assert [[row[0] for row in await rows(database, sql)] for sql in used] == [["k1"], ["k1"]]
    async with database.tx(SYSTEM) as tx:
        assert await mailer.reseal_letters(tx, box) == 1
        assert await local_mailbox.reseal(tx, box) == 1
        assert await mailer.reseal_letters(tx, box) == 0
        assert await local_mailbox.reseal(tx, box) == 0
    assert [[row[0] for row in await rows(database, sql)] for sql in used] == [["k2"], ["k2"]]
    new = SecretBox.parse(keys[:1])
    await worker_of(database, LocalMailboxChannel(new), clock).run_once()
    async with database.tx(SYSTEM) as tx:
        assert len(await local_mailbox.list_mails(tx, new)) == 2


def _encoded(box):
    import base64

    return base64.urlsafe_b64encode(box._keys["k1"]).decode()


async def test_without_a_server_mails_lie_in_the_machines_own_mailbox(
    database, post, local_worker, clock
):
    for key in ("1", "2"):
        await sent(database, post, clock, letter(subject=f"Mail {key}"), key=key)
        await local_worker.run_once()
    stored = await rows(database, "SELECT * FROM internal.local_mails")
    assert "a-secret" not in str([dict(row) for row in stored])
    async with database.tx(SYSTEM) as tx:
        newest, oldest = await local_mailbox.list_mails(tx, post.box)
        assert [newest.letter.subject, oldest.letter.subject] == ["Mail 2", "Mail 1"]
        assert await local_mailbox.list_mails(tx, post.box, before=newest.id) == [oldest]
        assert await local_mailbox.find_mail(tx, post.box, oldest.id) == oldest
    assert oldest.letter.link == URL + LINK
    assert all(row["payload"] == {"version": 1} for row in await rows(database))


async def test_mails_are_kept_for_two_weeks(database, post, secrets, local_worker, clock):
    await sent(database, post, clock, letter())
    await local_worker.run_once()
    [row] = await rows(database, "SELECT * FROM internal.local_mails")
    made = FrozenClock(row["arrived_at"]).now()
    from datetime import UTC, datetime

    now = datetime.now(UTC)  # ids tell the machine's time
    assert made == clock.now()
    assert await prune(database, [local_mailbox.PRUNED], now=now + timedelta(days=13)) == 0
    assert await prune(database, [local_mailbox.PRUNED], now=now + timedelta(days=15)) == 1


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", ("mail.example", 587, "starttls", None, None)),
        (
            "smtp://u%40x:p%2Fw@mail.example:2525?tls=tls",
            ("mail.example", 2525, "tls", "u@x", "p/w"),
        ),
        ("smtp://mail.example?tls=tls", ("mail.example", 465, "tls", None, None)),
        ("smtp://localhost?tls=none", ("localhost", 25, "none", None, None)),
    ],
)
def test_a_mail_server_is_an_address(url, server):
    assert MailServer.parse(url) == MailServer(*server)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example?tls=maybe",
        "smtp://mail.example?verify=no",
        "smtp://user@mail.example",
        "smtp://mail.example/path",
        "smtp://mail.example:99999",
    ],
)
def test_what_is_no_mail_server_is_said_so(url):
    with pytest.raises(ValueError):
        EmailSettings(mail_server=url)


def test_who_mails_are_from():
    assert SETTINGS.mail_sender.addr_spec == "hello@shop.example"
    assert EmailSettings(public_url=URL).mail_sender.addr_spec == "no-reply@shop.example"
    for wrong in ("nobody", "a@b\r\nBcc: c@d", "<>"):
        with pytest.raises(ValueError):
            EmailSettings(mail_from=wrong)
