"""Bodies of every shape a platform is known to send, through the real door: each is answered 200, each
of its events comes out as what it is, and what nobody understands is kept.
"""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.infra.settings import Settings
from tests.infra.site import served

from selify.core.database import Actor, Database
from selify.vendors.instagram.adapter import translate
from selify.vendors.instagram.webhook import sign

SYSTEM = Actor.system("test")
SECRET = "the-secret"
ACCOUNT, PERSON = "17841400000000001", "900000000001"
SECONDS, MILLISECONDS = 1_763_000_000, 1_763_000_000_000
CDN = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=a"


@dataclass
class Foreign:
    """A body, and what comes out: event types with the word the product has for each, in order of
    type; ``parked``: pieces kept unread; ``holds``: members of the first event's stored form.
    """

    body: Any
    becomes: list[str]
    parked: int = 0
    holds: dict[str, Any] = field(default_factory=dict)


def envelope(*entries: Any, **more: Any) -> dict[str, Any]:
    return {"object": "instagram", "entry": list(entries), **more}


def entry(**parts: Any) -> dict[str, Any]:
    return {"id": ACCOUNT, "time": MILLISECONDS, **parts}


def item(sender: Any = PERSON, recipient: Any = ACCOUNT, **members: Any) -> dict[str, Any]:
    parties = {"sender": {"id": sender}, "recipient": {"id": recipient}}
    return {**parties, "timestamp": MILLISECONDS, **members}


def messaging(*items: Any) -> dict[str, Any]:
    return envelope(entry(messaging=list(items)))


def says(**message: Any) -> dict[str, Any]:
    return messaging(item(message={"mid": "mid.A1", **message}))


def attached(*types: str, **payload: Any) -> dict[str, Any]:
    return says(attachments=[{"type": kind, "payload": payload} for kind in types])


def change(name: str, value: Any) -> dict[str, Any]:
    return envelope(entry(time=SECONDS, changes=[{"field": name, "value": value}]))


def comment(**more: Any) -> dict[str, Any]:
    return {
        "id": "17900000000000011",
        "from": {"id": PERSON, "username": "ana"},
        "text": "try on",
        "media": {"id": "18000000000000001", "media_product_type": "FEED"},
        **more,
    }


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: kept for key, kept in value.items() if key != name}


WRITTEN, ECHO = "message_received/MessageWritten", "message_echoed/MessageWritten"
COMMENTED = "comment_received/CommentWritten"
SHARE = {"url": CDN, "title": "New in", "ig_post_media_id": "18000000000000001"}
READ = {"read": {"mid": "mid.S9"}}
LOVE = {"reaction": {"mid": "mid.S9", "action": "react", "reaction": "love", "emoji": "❤️"}}

SHAPES: dict[str, Foreign] = {
    # Envelopes
    "one object": Foreign(says(text="hi"), [WRITTEN], holds={"text": "hi"}),
    "a list of envelopes": Foreign(
        [says(text="hi"), change("comments", comment())], [COMMENTED, WRITTEN]
    ),
    "several entries": Foreign(
        envelope(
            entry(messaging=[item(message={"mid": "m1", "text": "a"})]),
            entry(messaging=[item(message={"mid": "m2", "text": "b"})]),
        ),
        [WRITTEN, WRITTEN],
    ),
    "several items": Foreign(
        messaging(*(item(message={"mid": f"m{n}", "text": "a"}) for n in range(3))), [WRITTEN] * 3
    ),
    "several members in one item": Foreign(
        messaging(item(message={"mid": "m1", "text": "hi"}, **READ, **LOVE)),
        [WRITTEN, "message_seen/MessageSeen", "reaction_changed/ReactionChanged"],
    ),
    "one member of an item that is not understood": Foreign(
        messaging(item(message={"text": "who am I?"}, **READ)),
        ["message_seen/MessageSeen"],
        parked=1,
    ),
    "a member nobody knows beside a message": Foreign(
        messaging(item(message={"mid": "m1", "text": "hi"}, gift={"kind": "rose"})),
        [WRITTEN, "unknown/NothingToDo"],
    ),
    "a part nobody knows beside messaging": Foreign(
        envelope(entry(messaging=[item(message={"mid": "m1"})], gifts=[{"kind": "rose"}])),
        [WRITTEN],
        parked=1,
    ),
    "one name twice in an entry": Foreign(
        json.dumps(messaging(item(message={"mid": "m1"})))
        .replace('"messaging"', f'"messaging": [{json.dumps(item(**READ))}], "messaging"')
        .encode(),
        [WRITTEN, "message_seen/MessageSeen"],
    ),
    "one name twice in an entry, and no list": Foreign(
        json.dumps(messaging(item(message={"mid": "m1"})))
        .replace('"messaging"', f'"messaging": {json.dumps(item(**READ))}, "messaging"')
        .encode(),
        [WRITTEN, "message_seen/MessageSeen"],
    ),
    "two messages under one name": Foreign(
        json.dumps(messaging(item(message={"mid": "m1"}), item(**READ)))
        .replace('"message"', '"message": {"mid": "m2"}, "message"')
        .encode(),
        ["message_seen/MessageSeen"],
        parked=1,
    ),
    "messaging and changes in one entry": Foreign(
        envelope(
            entry(messaging=[item(**READ)], changes=[{"field": "comments", "value": comment()}])
        ),
        [COMMENTED, "message_seen/MessageSeen"],
    ),
    "an item that is no list": Foreign(
        envelope(entry(messaging=item(message={"mid": "m1"}))), [WRITTEN]
    ),
    "time in seconds": Foreign(
        envelope({"id": ACCOUNT, "time": SECONDS, "messaging": [item(message={"mid": "m1"})]}),
        [WRITTEN],
    ),
    "time as a word": Foreign(
        envelope({"id": ACCOUNT, "time": str(SECONDS), "messaging": [item(message={"mid": "m1"})]}),
        [WRITTEN],
    ),
    "no time at all": Foreign(
        envelope({"id": ACCOUNT, "messaging": [without(item(message={"mid": "m1"}), "timestamp")]}),
        [WRITTEN],
    ),
    "ids as numbers": Foreign(
        envelope(
            {
                "id": int(ACCOUNT),
                "messaging": [item(int(PERSON), int(ACCOUNT), message={"mid": "m1"})],
            }
        ),
        [WRITTEN],
        holds={"account_id": ACCOUNT, "person_id": PERSON},
    ),
    # Messages
    "a quick reply": Foreign(
        says(text="Yes", quick_reply={"payload": "tryon:like"}),
        [WRITTEN],
        holds={"quick_reply_payload": "tryon:like"},
    ),
    "an image": Foreign(attached("image", url=CDN), [WRITTEN]),
    "two images": Foreign(attached("image", "image", url=CDN), [WRITTEN]),
    "an image without an address": Foreign(says(attachments=[{"type": "image"}]), [WRITTEN]),
    "an attachment that is no list": Foreign(
        says(attachments={"type": "image", "payload": {"url": CDN}}), [WRITTEN]
    ),
    **{
        f"a shared {kind}": Foreign(attached(kind, url=CDN), [WRITTEN])
        for kind in ("video", "audio", "file", "media", "reel", "ig_reel", "story", "ig_story")
    },
    "a kind of attachment nobody knows": Foreign(attached("hologram", url=CDN), [WRITTEN]),
    "a post shared": Foreign(attached("ig_post", **SHARE), [WRITTEN]),
    "a post shared in both forms": Foreign(
        attached("share", "ig_post", **SHARE),
        [WRITTEN],
        holds={
            "attachments": [
                {"type": "ig_post", "url": CDN, "title": "New in", "media_id": "18000000000000001"}
            ]
        },
    ),
    "view once": Foreign(says(attachments=[{"type": "ephemeral"}]), [WRITTEN]),
    "unsupported": Foreign(says(is_unsupported=True), [WRITTEN], holds={"is_unsupported": True}),
    "a reply to a message": Foreign(
        says(text="this", reply_to={"mid": "mid.S9"}), [WRITTEN], holds={"reply_to_mid": "mid.S9"}
    ),
    "a photo as a reply to a story": Foreign(
        says(
            attachments=[{"type": "image", "payload": {"url": CDN}}],
            reply_to={"story": {"id": "s1", "url": CDN, "link_sticker_url": "https://x.example"}},
        ),
        [WRITTEN],
    ),
    "from an advertisement": Foreign(
        says(
            text="hi",
            referral={
                "ref": "autumn",
                "ad_id": 77,
                "source": "ADS",
                "type": "OPEN_THREAD",
                "ads_context_data": {"ad_title": "Autumn", "photo_url": CDN},
            },
        ),
        [WRITTEN],
    ),
    "a story mention": Foreign(attached("story_mention", url=CDN), ["story_mentioned/NothingToDo"]),
    "unsent": Foreign(
        says(is_deleted=True), ["message_deleted/MessageUnsent"], holds={"mid": "mid.A1"}
    ),
    "an echo": Foreign(
        messaging(item(ACCOUNT, PERSON, message={"mid": "m1", "text": "hi", "is_echo": True})),
        [ECHO],
        holds={"person_id": PERSON, "is_own": True},
    ),
    "an echo without its mark": Foreign(
        messaging(item(ACCOUNT, PERSON, message={"mid": "m1", "text": "hi"})), [ECHO]
    ),
    "the account to itself": Foreign(
        messaging(item(ACCOUNT, message={"mid": "m1", "is_echo": True, "is_self": True})),
        ["message_echoed/NothingToDo"],
    ),
    "the account to itself without a mark": Foreign(
        messaging(item(ACCOUNT, message={"mid": "m1", "text": "note"})),
        ["message_echoed/NothingToDo"],
    ),
    "an edit": Foreign(
        messaging(item(message_edit={"mid": "m1", "text": "blue", "num_edit": 1})),
        ["message_edited/MessageEdited"],
        holds={"num_edit": 1, "text": "blue"},
    ),
    "a reaction": Foreign(messaging(item(**LOVE)), ["reaction_changed/ReactionChanged"]),
    "a reaction taken back": Foreign(
        messaging(item(reaction={"mid": "m1", "action": "unreact"})),
        ["reaction_changed/ReactionChanged"],
    ),
    "seen": Foreign(messaging(item(**READ)), ["message_seen/MessageSeen"]),
    "a button": Foreign(
        messaging(item(postback={"mid": "m1", "title": "Try on", "payload": "TRYON"})),
        ["postback_received/ButtonTapped"],
        holds={"payload": "TRYON"},
    ),
    "an ice breaker without mid": Foreign(
        messaging(item(postback={"title": "Prices?", "payload": "PRICES"})),
        ["postback_received/ButtonTapped"],
    ),
    "a referral": Foreign(
        messaging(item(referral={"ref": "autumn", "source": "x", "type": "OPEN_THREAD"})),
        ["referral_received/NothingToDo"],
    ),
    "an opt-in": Foreign(
        messaging(item(optin={"type": "notification_messages", "payload": "p"})),
        ["opted_in/NothingToDo"],
    ),
    **{
        f"handover by {action}": Foreign(
            messaging(item(**{action: {"new_owner_app_id": 5}})), ["handover_changed/NothingToDo"]
        )
        for action in ("pass_thread_control", "take_thread_control", "request_thread_control")
    },
    "standby": Foreign(
        envelope(entry(standby=[item(message={"mid": "m1", "text": "hi"})])),
        ["standby_received/NothingToDo"],
    ),
    "standby with several members": Foreign(
        envelope(entry(standby=[item(message={"mid": "m1", "text": "hi"}, **READ)])),
        ["standby_received/NothingToDo"] * 2,
    ),
    # Changes
    "a comment": Foreign(change("comments", comment()), [COMMENTED], holds={"username": "ana"}),
    "a comment, flat": Foreign(
        envelope({"id": ACCOUNT, "time": SECONDS, "field": "comments", "value": comment()}),
        [COMMENTED],
    ),
    "a comment named comment_id": Foreign(
        change("comments", without(comment(comment_id="17900000000000012"), "id")),
        [COMMENTED],
        holds={"comment_id": "17900000000000012"},
    ),
    "a comment with numbers": Foreign(
        change("comments", comment(id=17900000000000011)),
        [COMMENTED],
        holds={"comment_id": "17900000000000011"},
    ),
    "a reply to a comment": Foreign(
        change("comments", comment(parent_id="17900000000000010")), [COMMENTED]
    ),
    "a comment under an advertisement": Foreign(
        change(
            "comments",
            comment(media={"id": "1", "ad_id": "2", "ad_title": "x", "original_media_id": "3"}),
        ),
        [COMMENTED],
        holds={"original_media_id": "3"},
    ),
    "an own comment": Foreign(
        change("comments", comment(**{"from": {"id": "5", "self_ig_scoped_id": "6"}})),
        [COMMENTED],
        holds={"is_own": True},
    ),
    "a comment of nobody": Foreign(change("comments", without(comment(), "from")), [COMMENTED]),
    "a live comment": Foreign(
        change("live_comments", comment()), ["live_comment_received/CommentWritten"]
    ),
    "a mention in a caption": Foreign(
        change("mentions", {"media_id": "18"}), ["mentioned/NothingToDo"]
    ),
    "a mention in a comment": Foreign(
        change("mentions", {"media_id": "18", "comment_id": "17"}), ["mentioned/NothingToDo"]
    ),
    "story insights": Foreign(
        change("story_insights", {"media_id": "18", "reach": 9, "exits": -1}),
        ["story_insights_received/NothingToDo"],
    ),
    "a message as a change": Foreign(
        change("messages", item(message={"mid": "m1", "text": "hi"}, **READ)),
        [WRITTEN, "message_seen/MessageSeen"],
    ),
    "a field nobody knows": Foreign(change("gifts", {"kind": "rose"}), ["unknown/NothingToDo"]),
    # Hostile, and signed all the same
    "another object": Foreign({"object": "page", "entry": [entry()]}, [], parked=1),
    "no entries": Foreign({"object": "instagram"}, [], parked=1),
    "an entry of nothing": Foreign(envelope({}), [], parked=1),
    "an entry of a number": Foreign(envelope(7, None, "x", []), [], parked=4),
    "a null": Foreign(b"null", [], parked=1),
    "a number": Foreign(b"7", [], parked=1),
    "a message without mid": Foreign(messaging(item(message={"text": "hi"})), [], parked=1),
    "a message of nobody": Foreign(
        envelope(entry(messaging=[{"message": {"mid": "m1"}}])), [], parked=1
    ),
    "a message that is a text": Foreign(messaging(item(message="hi")), ["unknown/NothingToDo"]),
    "parties that are lists": Foreign(
        messaging({"sender": [], "recipient": [1], "message": {"mid": "m1"}}), [], parked=1
    ),
    "an id as long as a book": Foreign(
        messaging(item(message={"mid": "m" * 5000, "text": "hi"})), [], parked=1
    ),
    "a mid of 400 letters": Foreign(
        messaging(item(message={"mid": "m" * 400, "text": "hi"})), [WRITTEN]
    ),
    "letters no database keeps": Foreign(
        json.dumps(says(text="a\0b\ud800c")).encode(), [WRITTEN], holds={"text": "a\ufffdb\ufffdc"}
    ),
    "numbers beyond all measure": Foreign(
        json.dumps(messaging(item(message={"mid": "m1"})))
        .replace(str(MILLISECONDS), "1e999")
        .encode(),
        [WRITTEN],
    ),
    "a time before time": Foreign(
        messaging({**item(message={"mid": "m1"}), "timestamp": -5}), [WRITTEN]
    ),
    "a comment whose text is an object": Foreign(
        change("comments", comment(text={"a": 1}, media=7)), [COMMENTED]
    ),
    "a value that is a list": Foreign(change("comments", [comment()]), [], parked=1),
    "a field that is a number": Foreign(
        envelope(entry(changes=[{"field": 7, "value": comment()}])), [], parked=1
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(
    shared_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        data_dir=Path(tmp_path_factory.mktemp("site")),
        database_url=shared_database_url,
        instagram_app_secret=SECRET,
        instagram_verify_token="a word",
    )
    async with served(settings) as client:
        yield client


@pytest.fixture
def books(swept_database: Database) -> Database:
    return swept_database


async def deliver(site: httpx.AsyncClient, body: Any) -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-Hub-Signature-256": sign(raw, SECRET), "Content-Type": "application/json"}
    return await site.post("/webhooks/instagram", content=raw, headers=headers)


async def stored(books: Database) -> tuple[list[dict[str, Any]], int]:
    """The events by type, and how many pieces were parked."""
    async with books.tx(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT event_type, payload FROM public.webhook_events ORDER BY event_type, id"
        )
        parked = await tx.fetch_value("SELECT count(*) FROM public.instagram_message_queue")
    return [dict(row) for row in rows], parked


@pytest.mark.parametrize("name", SHAPES)
async def test_every_shape_is_answered_kept_and_understood(
    site: httpx.AsyncClient, books: Database, name: str
) -> None:
    shape = SHAPES[name]
    answer = await deliver(site, shape.body)
    assert answer.status_code == 200, answer.text
    events, parked = await stored(books)
    now = datetime.now(UTC)
    found = [
        f"{row['event_type']}/{type(translate(row['event_type'], row['payload'], now)).__name__}"
        for row in events
    ]
    assert (found, parked) == (shape.becomes, shape.parked)
    if shape.holds:
        assert shape.holds.items() <= events[0]["payload"].items()


async def test_all_shapes_at_once_and_all_again_are_each_kept_once(
    site: httpx.AsyncClient, books: Database
) -> None:
    """A delivery of everything: one that is not understood costs none of the others."""
    bodies = [shape.body for shape in SHAPES.values() if not isinstance(shape.body, bytes)]
    together = [one for body in bodies for one in (body if isinstance(body, list) else [body])]
    first = await deliver(site, together)
    events, parked = await stored(books)
    again = await deliver(site, together)
    assert (first.status_code, again.status_code) == (200, 200)
    assert (await stored(books))[0] == events
    assert parked == sum(s.parked for s in SHAPES.values() if not isinstance(s.body, bytes))


ODD: tuple[Any, ...] = (None, [], {}, 7, "", "x" * 600, {"id": []})
EVERY = 3  # of the thousands of bent bodies


def bent(value: Any) -> Iterator[Any]:
    """The same with something odd in the place of any one part of it."""
    yield from ODD
    if isinstance(value, dict):
        for name, part in value.items():
            yield from ({**value, name: odd} for odd in bent(part))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from ([*value[:place], odd, *value[place + 1 :]] for odd in bent(part))


async def test_no_part_can_be_bent_into_a_fault(site: httpx.AsyncClient, books: Database) -> None:
    """Each is one envelope of a list: what cannot be read costs none of the others."""
    shapes = [shape.body for shape in SHAPES.values() if isinstance(shape.body, dict)]
    bodies = list(islice((odd for body in shapes for odd in bent(body)), 0, None, EVERY))
    fine = says(text="and this one is fine", mid="mid.fine")
    for start in range(0, len(bodies), 500):
        answer = await deliver(site, [*bodies[start : start + 500], fine])
        assert answer.status_code == 200, answer.text
    events, parked = await stored(books)
    assert len(bodies) > 1000
    assert parked > 100
    assert [e for e in events if e["payload"].get("mid") == "mid.fine"]
    for row in events:
        translate(row["event_type"], row["payload"], datetime.now(UTC))
