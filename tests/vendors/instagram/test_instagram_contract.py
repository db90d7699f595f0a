"""Both sides of the wire against each other: our adapter and the stand-in, over real HTTP."""

import asyncio
import contextlib
import io
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from selify.core.clock import SystemClock
from selify.messaging.ports import Action, Credentials, NotNow, PlatformRefused, SentMessage
from selify.vendors.instagram.adapter import InstagramMessenger
from selify.vendors.instagram.client import InstagramClient
from selify.vendors.instagram.config import (
    COMMENTS_SCOPE,
    MESSAGES_SCOPE,
    SCOPES,
    WEBHOOK_FIELDS,
    InstagramConfig,
)
from selify.vendors.instagram.errors import MESSAGE_GONE, GraphError
from selify.vendors.instagram.gateway import InstagramGateway
from selify.vendors.instagram.media_hosts import is_instagram_cdn
from selify.vendors.instagram.oauth import (
    ConsentDenied,
    InstagramOAuth,
    Token,
    authorize_url,
    read_callback,
)
from selify.vendors.instagram.payloads import Card, PostbackButton, QuickReply, text_message
from selify.vendors.instagram.signed_request import SignedRequest, parse_signed_request
from selify.vendors.instagram.webhook import parse, verify_challenge, verify_signature
from selify.vendors.instagram.webhook_events import AttachmentKind, EventType, InstagramEvent
from selify_sandbox.instagram import SandboxConfig, SandboxDriver, create_app

SECRET = "contract-secret"
REDIRECT = "http://127.0.0.1/callback"


@dataclass
class Mailbox:
    """Our webhook endpoint: verifies, parses, and keeps what came."""

    events: list[InstagramEvent] = field(default_factory=list)
    removals: list[SignedRequest] = field(default_factory=list)
    problems: list[object] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def webhook(self, request: Request) -> PlainTextResponse:
        raw = await request.body()
        verify_signature(raw, request.headers.get("x-hub-signature-256"), [SECRET])
        delivery = parse(raw, received_at=datetime.now(UTC))
        async with self.came:
            self.events += delivery.events
            self.problems += delivery.unparsed
            self.came.notify_all()
        return PlainTextResponse("")

    async def handshake(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse(verify_challenge(request.query_params, "word"))

    async def deauthorized(self, request: Request) -> PlainTextResponse:
        form = await request.form()
        async with self.came:
            self.removals.append(parse_signed_request(str(form["signed_request"]), [SECRET]))
            self.came.notify_all()
        return PlainTextResponse("")

    async def wait(self, kind: EventType, **members: object) -> InstagramEvent:
        """The first event of this type with these members."""

        def found() -> InstagramEvent | None:
            fits = (
                event
                for event in self.events
                if event.event_type is kind
                and all(getattr(event, name) == value for name, value in members.items())
            )
            return next(fits, None)

        async with self.came, asyncio.timeout(20):
            await self.came.wait_for(found)
        event = found()
        assert event is not None
        return event


@contextlib.asynccontextmanager
async def serving(app, listener: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, ws="none", log_config=None))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


def listen() -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@dataclass
class Both:
    """A connected account on the stand-in, and our side of it."""

    sandbox: SandboxDriver
    mailbox: Mailbox
    config: InstagramConfig
    http: httpx.AsyncClient
    client: InstagramClient
    token: Token
    account: str
    post: str

    @property
    def key(self) -> str:
        return self.token.access_token


def picture(colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (96, 128), colour).save(out, "JPEG")
    return out.getvalue()


async def sign_in(sandbox, http, config, name: str) -> Token:
    url = authorize_url(config, redirect_uri=REDIRECT, state="s1")
    back = await sandbox.authorize(url, name)
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert query["state"] == "s1"
    oauth = InstagramOAuth(http, config, SystemClock())
    short = await oauth.exchange_code(read_callback(query), redirect_uri=REDIRECT)
    return await oauth.exchange_for_long_lived(short)


@pytest.fixture(scope="module")
async def both(tmp_path_factory) -> AsyncIterator[Both]:
    mailbox = Mailbox()
    routes = [
        Route("/webhook", mailbox.handshake, methods=["GET"]),
        Route("/webhook", mailbox.webhook, methods=["POST"]),
        Route("/deauthorize", mailbox.deauthorized, methods=["POST"]),
    ]
    (ours, our_url), (theirs, their_url) = listen(), listen()
    settings = SandboxConfig(
        data_dir=tmp_path_factory.mktemp("standin"),
        public_url=their_url,
        callback_url=f"{our_url}/webhook",
        deauthorize_url=f"{our_url}/deauthorize",
        app_id="77",
        app_secret=SECRET,
        verify_token="word",
        seed=1,
    )
    config = InstagramConfig(
        app_id="77",
        app_secret=SECRET,
        verify_token="word",
        www_url=their_url,
        api_url=their_url,
        graph_url=their_url,
        media_hosts=(urlsplit(their_url).netloc,),
    )
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(serving(Starlette(routes=routes), ours))
        await stack.enter_async_context(serving(create_app(settings), theirs))
        sandbox = await stack.enter_async_context(SandboxDriver(their_url))
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        account = await sandbox.create_account("atelier.moss")
        post = await sandbox.create_post("atelier.moss", picture(), caption="Linen week")
        token = await sign_in(sandbox, http, config, "atelier.moss")
        client = InstagramClient(http, config)
        await client.subscribe(token.access_token, WEBHOOK_FIELDS)
        yield Both(sandbox, mailbox, config, http, client, token, account.id, post.id)
        assert mailbox.problems == []


async def conversation(both: Both, name: str) -> tuple[str, str]:
    """A person who has written: their name and their id to us."""
    await both.sandbox.create_shopper(name)
    await both.sandbox.write(name, both.account, f"hello from {name}")
    event = await both.mailbox.wait(EventType.MESSAGE_RECEIVED, text=f"hello from {name}")
    return name, event.person_id


async def failing(call) -> GraphError:
    with pytest.raises(GraphError) as failed:
        await call
    return failed.value


async def test_signing_in_gives_a_long_lived_token_and_the_account(both):
    left = both.token.expires_at - datetime.now(UTC)
    assert timedelta(days=59) < left <= timedelta(days=60)
    assert set(both.token.permissions) == set(both.config.scopes)
    me = (await both.client.me(both.key)).value
    assert (me.user_id, me.username) == (both.account, "atelier.moss")
    assert me.id != me.user_id
    assert set(await both.client.subscriptions(both.key)) == set(WEBHOOK_FIELDS)


async def test_a_code_works_once(both):
    url = authorize_url(both.config, redirect_uri=REDIRECT, state="s1")
    back = await both.sandbox.authorize(url, "atelier.moss")
    code = parse_qs(urlsplit(back).query)["code"][0]
    oauth = InstagramOAuth(both.http, both.config, SystemClock())
    await oauth.exchange_code(code, redirect_uri=REDIRECT)
    error = await failing(oauth.exchange_code(code, redirect_uri=REDIRECT))
    assert error.verdict.reason == "sign_in_refused"


async def test_a_no_on_the_consent_page(both):
    url = authorize_url(both.config, redirect_uri=REDIRECT, state="s1")
    back = await both.sandbox.authorize(url, "atelier.moss", deny=True)
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    with pytest.raises(ConsentDenied):
        read_callback(query)


async def test_a_token_is_refreshed_after_its_first_day_and_not_before(both):
    await both.sandbox.create_account("second.shop")
    young = await sign_in(both.sandbox, both.http, both.config, "second.shop")
    believed_older = replace(young, issued_at=young.issued_at - timedelta(hours=25))
    oauth = InstagramOAuth(both.http, both.config, SystemClock())
    assert (await failing(oauth.refresh(believed_older))).action is Action.STOP
    await both.sandbox.trouble("second.shop", "age_token", hours=25)
    fresh = await oauth.refresh(believed_older)
    assert fresh.expires_at > young.expires_at
    assert (await both.client.me(fresh.access_token)).value.username == "second.shop"
    await both.sandbox.trouble("second.shop", "expire_token")
    error = await failing(both.client.me(fresh.access_token))
    assert (error.action, error.verdict.reason) == (Action.REAUTHORISE, "token_expired")


async def test_posts_and_comments_are_read(both):
    page = await both.client.media(both.key)
    assert [item.id for item in page.items] == [both.post]
    assert page.items[0].caption == "Linen week"
    assert page.items[0].posted_at is not None
    assert is_instagram_cdn(page.items[0].media_url, both.config.media_hosts)
    if page.after:
        assert (await both.client.media(both.key, page.after)).items == ()
    assert (await both.client.media_item(both.key, both.post)).value == page.items[0]
    await both.sandbox.create_shopper("reader")
    comment = await both.sandbox.comment("reader", both.post, "readable")
    listed = await both.client.comments(both.key, both.post)
    assert comment in [item.id for item in listed.items]
    one = (await both.client.comment(both.key, comment)).value
    assert (one.text, one.username, one.media_id) == ("readable", "reader", both.post)
    assert one.commented_at is not None


async def test_a_comment_its_private_reply_and_the_echo(both):
    await both.sandbox.create_shopper("ana")
    comment_id = await both.sandbox.comment("ana", both.post, "try on ✨")
    comment = await both.mailbox.wait(EventType.COMMENT_RECEIVED, comment_id=comment_id)
    assert (comment.text, comment.username, comment.media_id) == ("try on ✨", "ana", both.post)
    assert (comment.account_id, comment.is_own) == (both.account, False)
    sent = await both.client.send_private_reply(both.key, comment_id, text_message("Hi Ana!"))
    echo = await both.mailbox.wait(EventType.MESSAGE_ECHOED, mid=sent.message_id)
    assert (echo.text, echo.person_id, echo.is_own) == ("Hi Ana!", sent.recipient_id, True)
    again = await failing(
        both.client.send_private_reply(both.key, comment_id, text_message("Hi again!"))
    )
    assert again.action is Action.ALREADY_DONE
    public = (await both.client.reply_to_comment(both.key, comment_id, "See your messages")).value
    own = await both.mailbox.wait(EventType.COMMENT_RECEIVED, comment_id=public)
    assert own.is_own


async def test_a_photo_arrives_and_a_picture_goes_back(both):
    name, person = await conversation(both, "bea")
    await both.sandbox.send_photo(name, both.account, picture("navy"))
    async with both.mailbox.came, asyncio.timeout(20):
        await both.mailbox.came.wait_for(lambda: photos_of(both.mailbox, person))
    (photo,) = photos_of(both.mailbox, person)
    assert photo.kind is AttachmentKind.IMAGE
    assert is_instagram_cdn(photo.url, both.config.media_hosts)
    assert not is_instagram_cdn(photo.url)
    sent = await both.client.send_image(both.key, person, photo.url)
    echo = await both.mailbox.wait(EventType.MESSAGE_ECHOED, mid=sent.message_id)
    assert echo.attachments[0].kind is AttachmentKind.IMAGE
    missing = await failing(both.client.send_image(both.key, person, photo.url + "x"))
    assert missing.action is Action.RETRY


def photos_of(mailbox: Mailbox, person: str) -> list:
    return [
        attachment
        for event in mailbox.events
        if event.event_type is EventType.MESSAGE_RECEIVED and event.person_id == person
        for attachment in event.attachments
    ]


async def test_buttons_and_what_their_taps_say(both):
    name, person = await conversation(both, "caro")
    chips = [QuickReply("Another try", "AGAIN"), QuickReply("A human", "HUMAN")]
    sent = await both.client.send_quick_replies(both.key, person, "Do you like it?", chips)
    await both.sandbox.tap(name, sent.message_id, payload="HUMAN")
    tap = await both.mailbox.wait(EventType.MESSAGE_RECEIVED, quick_reply_payload="HUMAN")
    assert tap.text == "A human"
    card = Card(
        title="Mint dress",
        subtitle="49 €",
        buttons=(PostbackButton("Try it on", "TRYON:mint"),),
    )
    sent = await both.client.send_cards(both.key, person, [card])
    await both.sandbox.tap(name, sent.message_id, payload="TRYON:mint")
    postback = await both.mailbox.wait(EventType.POSTBACK_RECEIVED, payload="TRYON:mint")
    assert (postback.title, postback.person_id) == ("Try it on", person)


async def test_typing_seen_and_reactions_both_ways(both):
    name, person = await conversation(both, "dora")
    await both.client.typing_on(both.key, person)
    await both.client.mark_seen(both.key, person)
    sent = await both.client.send_text(both.key, person, "Send me a photo")
    await both.sandbox.see(name, both.account)
    await both.mailbox.wait(EventType.MESSAGE_SEEN, mid=sent.message_id)
    await both.sandbox.react(name, sent.message_id)
    reaction = await both.mailbox.wait(EventType.REACTION_CHANGED, mid=sent.message_id)
    assert (reaction.action, reaction.person_id) == ("react", person)
    written = await both.sandbox.write(name, both.account, "lovely")
    await both.client.react(both.key, person, written.mid)


async def test_an_edit_and_an_unsend(both):
    name, _ = await conversation(both, "edda")
    written = await both.sandbox.write(name, both.account, "size 40?")
    await both.sandbox.edit(name, written.mid, "size 42?")
    edited = await both.mailbox.wait(EventType.MESSAGE_EDITED, mid=written.mid)
    assert (edited.text, edited.num_edit) == ("size 42?", 1)
    await both.sandbox.unsend(name, written.mid)
    gone = await both.mailbox.wait(EventType.MESSAGE_DELETED, mid=written.mid)
    assert gone.message_id is None
    error = await failing(
        both.client.send(both.key, {"id": gone.person_id}, text_message("?"), reply_to=written.mid)
    )
    assert error.verdict == MESSAGE_GONE


async def test_shared_posts_and_stories(both):
    name, person = await conversation(both, "fay")
    await both.sandbox.share(name, both.account, both.post)
    async with both.mailbox.came, asyncio.timeout(20):
        await both.mailbox.came.wait_for(lambda: photos_of(both.mailbox, person))
    (shared,) = photos_of(both.mailbox, person)
    assert (shared.kind, shared.media_id) == (AttachmentKind.POST, both.post)
    await both.sandbox.mention_in_story(name, both.account, picture())
    mention = await both.mailbox.wait(EventType.STORY_MENTIONED, person_id=person)
    assert is_instagram_cdn(mention.url, both.config.media_hosts)
    assert not mention.attachments[0].may_be_stored


async def test_a_person_of_the_brand_answers_in_the_app(both):
    name, person = await conversation(both, "gwen")
    written = await both.sandbox.owner_writes(both.account, name, "Mara here")
    echo = await both.mailbox.wait(EventType.MESSAGE_ECHOED, mid=written.mid)
    assert (echo.person_id, echo.app_id) == (person, "")
    comment = await both.sandbox.owner_comments(both.account, both.post, "New in!")
    assert (await both.mailbox.wait(EventType.COMMENT_RECEIVED, comment_id=comment)).is_own


async def read_back(both: Both, person: str) -> list[SentMessage]:
    """Our own messages in the thread, as fast as the stand-in lets us."""
    messenger, found, cursor = InstagramMessenger(both.client), [], {}
    sender = Credentials(both.account, both.key)
    since = datetime.now(UTC) - timedelta(minutes=5)
    while cursor is not None:
        step = await messenger.read_back(sender, person, since=since, cursor=cursor)
        if isinstance(step, NotNow):
            assert step.retry_after == 2
            await asyncio.sleep(0.3)
            continue
        found += [step.message] if step.message else []
        cursor = step.cursor
    return found


async def test_a_message_taken_back_does_not_hide_its_neighbours(both):
    name, person = await conversation(both, "ines")
    sent = await both.client.send_text(both.key, person, "the one looked for")
    regretted = await both.sandbox.write(name, both.account, "forget it")
    await both.sandbox.unsend(name, regretted.mid)
    assert [message.message_ref for message in await read_back(both, person)] == [sent.message_id]


async def test_conversations_are_read_twice_a_second_whatever_is_read(both):
    _, person = await conversation(both, "juno")
    await asyncio.sleep(1)
    [thread] = (await both.client.conversations(both.key, person)).items
    [newest, *_] = (await both.client.conversation_messages(both.key, thread)).value
    error = await failing(both.client.message(both.key, newest))
    assert (error.fault.code, error.verdict.reason) == (613, "too_fast")


async def test_a_lost_answer_is_reconciled_by_reading_the_conversation(both):
    _, person = await conversation(both, "hana")
    await both.sandbox.fail_next(1, 1357046, on="messages", after_effect=True)
    error = await failing(both.client.send_text(both.key, person, "did it arrive?"))
    assert error.action is Action.UNKNOWN
    [ours] = await read_back(both, person)
    assert ours.text == "did it arrive?"
    echo = await both.mailbox.wait(EventType.MESSAGE_ECHOED, text="did it arrive?")
    assert echo.mid == ours.message_ref


@pytest.mark.parametrize(
    ("fault", "send", "typing"),
    [
        ("cut_percent", Action.UNKNOWN, Action.LATER),
        ("cut_after_percent", Action.UNKNOWN, Action.LATER),
    ],
)
async def test_a_cut_connection(both, fault, send, typing):
    _, person = await conversation(both, f"iris{fault.count('_')}")
    await both.sandbox.faults(**{fault: 100})
    try:
        sending = await failing(both.client.send_text(both.key, person, "?"))
        dots = await failing(both.client.typing_on(both.key, person))
    finally:
        await both.sandbox.calm()
    assert (sending.action, dots.action) == (send, typing)


async def test_the_window_and_the_block(both):
    name, person = await conversation(both, "jana")
    thread = await both.sandbox.thread(name, both.account)
    await both.sandbox.close_window(thread)
    error = await failing(both.client.send_text(both.key, person, "?"))
    assert error.action is Action.WINDOW_CLOSED
    await both.sandbox.relate(name, both.account, blocked=True)
    error = await failing(both.client.send_text(both.key, person, "?"))
    assert error.action is Action.PERSON_UNREACHABLE
    error = await failing(both.client.send_text(both.key, "404", "?"))
    assert error.action is Action.PERSON_UNREACHABLE


async def test_usage_and_throttles(both):
    _, person = await conversation(both, "kim")
    await both.sandbox.faults(usage_percent=83)
    sent = await both.client.send_text(both.key, person, "?")
    assert sent.usage.percent == 83
    await both.sandbox.rate_limit(80002, 600)
    error = await failing(both.client.send_text(both.key, person, "?"))
    await both.sandbox.calm()
    assert error.action is Action.PAUSE_ACCOUNT
    assert error.retry_after == timedelta(minutes=10)
    assert error.usage.percent == 100


@pytest.mark.parametrize(
    ("trouble", "relief", "action"),
    [
        ("restrict", "lift_restriction", Action.PAUSE_ACCOUNT),
        ("ban", "lift_ban", Action.PAUSE_ACCOUNT),
        ("disable_messages", "enable_messages", Action.ASK_OWNER),
    ],
)
async def test_what_can_happen_to_an_account(both, trouble, relief, action):
    _, person = await conversation(both, f"nora.{trouble}")
    await both.sandbox.trouble(both.account, trouble)
    try:
        error = await failing(both.client.send_text(both.key, person, "?"))
    finally:
        await both.sandbox.trouble(both.account, relief)
    assert (error.action, error.verdict.alert) == (action, True)


async def test_a_persons_profile(both):
    name, person = await conversation(both, "lena")
    await both.sandbox.relate(name, both.account, follows=True)
    profile = (await both.client.profile(both.key, person)).value
    assert (profile.id, profile.username, profile.follows_account) == (person, "lena", True)


async def test_a_name_is_told_of_who_has_written(both):
    messenger, sender = InstagramMessenger(both.client), Credentials(both.account, both.key)
    _, person = await conversation(both, "tess")
    assert await messenger.username(sender, person) == "tess"
    assert await messenger.username(sender, "17849999999999999") == ""


@pytest.mark.parametrize(
    ("code", "subcode", "told"),
    [(100, 2018001, ""), (551, 0, ""), (100, 33, ""), (3, 0, None), (2, 0, None), (613, 0, None)],
    ids=["unknown", "not receiving", "gone", "our app may not", "Instagram's trouble", "too fast"],
)
async def test_only_what_lies_in_the_person_makes_a_name_impossible(both, code, subcode, told):
    messenger, sender = InstagramMessenger(both.client), Credentials(both.account, both.key)
    _, person = await conversation(both, f"no.name.{code}.{subcode}")
    await both.sandbox.fail_next(code, subcode)
    assert await messenger.username(sender, person) == told
    await both.sandbox.calm()


async def test_a_redelivery_is_the_same_event(both):
    await both.sandbox.create_shopper("mia")
    comment_id = await both.sandbox.comment("mia", both.post, "again?")
    first = await both.mailbox.wait(EventType.COMMENT_RECEIVED, comment_id=comment_id)
    assert await both.sandbox.wait_until_delivered()
    newest = max(delivery["id"] for delivery in await both.sandbox.deliveries())
    both.mailbox.events.clear()
    await both.sandbox.redeliver(newest)
    second = await both.mailbox.wait(EventType.COMMENT_RECEIVED, comment_id=comment_id)
    assert second.fingerprint == first.fingerprint
    assert second.to_payload() == first.to_payload()


async def test_removing_the_app(both):
    """Last: the account is not connected any more."""
    me = (await both.client.me(both.key)).value
    await both.client.unsubscribe(both.key)
    assert await both.client.subscriptions(both.key) == ()
    await both.sandbox.trouble(both.account, "deauthorize")
    async with both.mailbox.came, asyncio.timeout(20):
        await both.mailbox.came.wait_for(lambda: both.mailbox.removals)
    assert both.mailbox.removals[0].user_id == me.id
    error = await failing(both.client.me(both.key))
    assert error.action is Action.REAUTHORISE
    assert error.verdict.reason == "app_removed"


async def account_with(both: Both, name: str, *scopes: str) -> tuple[InstagramGateway, str]:
    """An account that granted only these permissions: the way to its platform, and its token."""
    await both.sandbox.create_account(name)
    url = authorize_url(both.config, redirect_uri=REDIRECT, state="s1")
    back = await both.sandbox.authorize(url, name, scopes=(SCOPES[0], *scopes))
    code = parse_qs(urlsplit(back).query)["code"][0]
    oauth = InstagramOAuth(both.http, both.config, SystemClock())
    gateway = InstagramGateway(both.client, oauth, both.config)
    grant = await gateway.exchange(code, redirect_uri=REDIRECT)
    assert set(grant.permissions) == {SCOPES[0], *scopes}
    return gateway, grant.token


NO_COMMENTS = set(WEBHOOK_FIELDS) - {"comments", "live_comments"}
LACKING = "The permission to manage comments is missing."


@pytest.mark.parametrize(
    ("refuses", "known"),
    [(True, (MESSAGES_SCOPE,)), (True, ()), (False, (MESSAGES_SCOPE,))],
    ids=["it says so", "it says so and we did not know", "it keeps silent"],
)
async def test_without_a_permission_the_rest_is_subscribed_and_the_lack_named(both, refuses, known):
    """Instagram refuses such a list as a whole, or takes it and lets nothing come."""
    name = f"shy.{refuses}.{len(known)}".lower()
    gateway, token = await account_with(both, name, MESSAGES_SCOPE)
    await both.sandbox.faults(refuse_unpermitted_fields=refuses)
    found = await gateway.subscribe(token, known)
    await both.sandbox.calm()
    assert (set(found.fields), found.complaint) == (NO_COMMENTS, LACKING)
    assert found.reconnecting_helps
    assert set(await both.client.subscriptions(token)) == NO_COMMENTS


async def test_one_field_that_is_not_offered_costs_that_field_alone(both):
    gateway, token = await account_with(both, "odd.field", MESSAGES_SCOPE, COMMENTS_SCOPE)
    await both.sandbox.faults(unknown_field="message_edit")
    found = await gateway.subscribe(token, SCOPES)
    await both.sandbox.calm()
    assert set(found.fields) == set(WEBHOOK_FIELDS) - {"message_edit"}
    assert found.complaint == (
        "Instagram does not offer “message_edit” to our app; connecting again does not change that."
    )
    assert not found.reconnecting_helps
    assert set(await both.client.subscriptions(token)) == set(found.fields)
    assert set((await gateway.subscribe(token, SCOPES)).fields) == set(WEBHOOK_FIELDS), "later"


async def test_no_field_at_all_is_a_refusal_and_speaks_of_no_message(both):
    gateway, token = await account_with(both, "nothing.allowed")
    await both.sandbox.faults(refuse_unpermitted_fields=True)
    with pytest.raises(PlatformRefused) as refused:
        await gateway.subscribe(token, ())
    assert refused.value.code == "permission_missing"
    assert (refused.value.reason, refused.value.reconnecting_helps) == (
        "A permission is missing.",
        True,
    )
    await both.sandbox.calm()
    await both.sandbox.fail_next(100, on="media")
    with pytest.raises(PlatformRefused) as refused:
        await gateway.posts(token, None)
    assert refused.value.code == "bad_parameter"
    assert "message" not in refused.value.reason


async def test_a_throttled_subscription_is_not_taken_for_a_missing_permission(both):
    gateway, token = await account_with(both, "too.fast", MESSAGES_SCOPE, COMMENTS_SCOPE)
    await both.sandbox.fail_next(80002, on="subscribed_apps")
    with pytest.raises(PlatformRefused) as refused:
        await gateway.subscribe(token, SCOPES)
    assert refused.value.code == "throttled"
