"""Every declared event type has a captured shape; every shape becomes its type and survives storage."""

import dataclasses
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from selify.vendors.instagram.webhook import parse
from selify.vendors.instagram.webhook_events import (
    EVENT_CLASSES,
    Attachment,
    AttachmentKind,
    CommentReceived,
    DirectMessage,
    EventType,
    InstagramEvent,
    MessageReceived,
    MessageSeen,
    UnreadablePayload,
    from_payload,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "instagram"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
RECEIVED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ACCOUNT = "17841467300055120"
ANA = "2210457719034466"
BEN = "1087730512206654"


def load(name: str) -> InstagramEvent:
    delivery = parse((FIXTURES / f"{name}.json").read_bytes(), received_at=RECEIVED)
    assert delivery.unparsed == ()
    (event,) = delivery.events
    return event


def redelivered(name: str, by: timedelta) -> InstagramEvent:
    """The same update in a delivery sent later: only ``entry.time`` differs."""
    document = json.loads((FIXTURES / f"{name}.json").read_text())
    for envelope in document if isinstance(document, list) else [document]:
        for entry in envelope["entry"]:
            in_seconds = entry["time"] < 10**11
            entry["time"] += int(by.total_seconds()) * (1 if in_seconds else 1000)
    later = parse(json.dumps(document).encode(), received_at=RECEIVED + by)
    return later.events[0]


def test_every_event_type_has_a_class_and_a_fixture():
    assert set(EVENT_CLASSES) == set(EventType)
    assert {name.split(".")[0] for name in NAMES} == {str(kind) for kind in EventType}


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_becomes_the_type_it_is_named_after(name):
    event = load(name)
    assert event.event_type == name.split(".")[0]
    assert event.account_id == ACCOUNT
    assert event.occurred_at.tzinfo is UTC
    assert event.occurred_at.year == 2026


@pytest.mark.parametrize("name", NAMES)
def test_an_event_survives_being_stored(name):
    event = load(name)
    stored = json.loads(json.dumps(event.to_payload()))
    back = from_payload(stored, received_at=event.occurred_at)
    assert back == event
    assert type(back) is type(event)
    assert back.dedupe_key == event.dedupe_key
    assert len(event.event_type) <= 50


@pytest.mark.parametrize("name", NAMES)
def test_a_redelivery_is_the_same_event(name):
    first, again = load(name), redelivered(name, timedelta(hours=7))
    assert again.to_payload() == first.to_payload()
    assert again.fingerprint == first.fingerprint
    assert again.message_id == first.message_id


def test_every_two_fixtures_are_different_events():
    events = [load(name) for name in NAMES]
    assert len({event.fingerprint for event in events}) == len(events)
    assert all(
        event.fingerprint == hashlib.sha256(event.dedupe_key.encode()).hexdigest()
        for event in events
    )


def test_a_message_id_is_never_shared_by_two_events():
    ids = [event.message_id for event in map(load, NAMES) if event.message_id]
    assert len(ids) == len(set(ids)) > 5
    for name in ("message_deleted", "message_edited", "message_seen", "reaction_changed"):
        assert load(name).message_id is None
        assert load(name).mid


def test_what_each_shape_says():
    expected = {
        "comment_received": {"text": "try on please ✨", "username": "ben.walks.dogs"},
        "comment_received.reply": {"is_reply": True, "parent_id": "18330471220091145"},
        "comment_received.facebook_login_ad": {
            "comment_id": "18330471220091333",
            "ad_id": "120214400871230455",
            "original_media_id": "18061120457739004",
        },
        "comment_received.flat": {"media_product_type": "REELS", "person_id": BEN},
        "message_received.quick_reply": {
            "quick_reply_payload": "TRYON:AGAIN",
            "text": "Another photo",
        },
        "message_received.unsupported": {"is_unsupported": True, "text": ""},
        "message_received.list_envelope": {"text": "olá, tudo bem? 👗"},
        "message_edited": {"num_edit": 1, "text": "does the mint dress come in 42?"},
        "reaction_changed": {"action": "react", "emoji": "❤️"},
        "reaction_changed.unreact": {"action": "unreact", "emoji": ""},
        "postback_received": {"payload": "TRYON:GARMENT:linen-mint", "message_id": None},
        "opted_in": {"type": "notification_messages", "payload": "RESTOCK:linen-mint"},
        "handover_changed": {
            "action": "pass_thread_control",
            "new_owner_app_id": "990021774455",
        },
        "standby_received": {"kind": "message", "text": "are you a person?"},
        "unknown": {"kind": "sticker_pack_shared"},
        "mentioned": {"comment_id": "18330471220095512", "person_id": None},
    }
    for name, members in expected.items():
        event = load(name)
        assert {member: getattr(event, member) for member in members} == members, name
    insights = load("story_insights_received")
    assert insights.figures["reach"] == 540
    assert insights.figures["replies"] == -1


@pytest.mark.parametrize("name", NAMES)
def test_who_did_it_and_to_whom(name):
    event = load(name)
    own = name.startswith("message_echoed") or name == "comment_received.own"
    assert event.is_own is own
    if isinstance(event, DirectMessage):
        assert event.person_id == (ACCOUNT if name.endswith(".self") else ANA)


def test_who_sent_an_echo_can_be_told():
    assert load("message_echoed").app_id == "990021774455"
    assert load("message_echoed.in_app").app_id == ""
    assert load("message_echoed.self").is_self


def test_a_post_shared_in_both_forms_counts_once_and_names_the_media():
    (post,) = load("message_received.shared_post").attachments
    assert (post.kind, post.media_id) == (AttachmentKind.POST, "18061120457739004")
    (reel,) = load("message_received.reel").attachments
    assert (reel.kind, reel.media_id) == (AttachmentKind.REEL, "18061120457731212")


def test_story_media_and_view_once_pictures_may_not_be_stored():
    mention = load("story_mentioned")
    assert mention.url.startswith("https://lookaside.fbsbx.com/")
    assert not mention.attachments[0].may_be_stored
    assert not load("message_received.view_once").attachments[0].may_be_stored
    assert load("message_received.image").attachments[0].may_be_stored
    assert load("message_received.reply_to_story").reply_to_story.id == "18061120457738080"
    assert Attachment(type="hologram").kind is AttachmentKind.OTHER


def test_an_opt_in_keeps_no_token():
    assert "5001220034" not in json.dumps(load("opted_in").to_payload())


def test_own_and_delivery_times():
    assert load("message_received").occurred_at == datetime(2026, 11, 18, 8, 30, tzinfo=UTC)
    assert load("message_received").timed
    comment = load("comment_received")
    assert not comment.timed
    assert "occurred_at" not in comment.to_payload()
    assert comment.occurred_at == datetime(2026, 11, 18, 8, 30, tzinfo=UTC)
    assert load("message_received.dashboard_test").occurred_at.year == 2026


def comment(**members) -> CommentReceived:
    base = {"account_id": "1", "person_id": "2", "occurred_at": RECEIVED, "timed": False}
    return CommentReceived(**base | {"comment_id": "10", "text": "tryon"} | members)


def test_two_people_commenting_the_same_word_are_two_events():
    one, two = comment(), comment(comment_id="11")
    assert one.fingerprint != two.fingerprint
    assert one.to_payload() != two.to_payload()
    assert one.message_id is None


def test_a_boosted_comment_told_twice_is_one_event():
    assert comment(ad_id="7", media_id="8").fingerprint == comment(media_id="9").fingerprint


def test_one_comment_told_to_two_accounts_is_two_events():
    assert comment(account_id="1").fingerprint != comment(account_id="3").fingerprint


def test_two_connected_accounts_writing_to_each_other_do_not_hide_each_others_message():
    echo = load("message_echoed")
    received = MessageReceived(
        account_id=ANA, person_id=ACCOUNT, occurred_at=echo.occurred_at, mid=echo.mid
    )
    assert received.message_id == echo.mid
    assert echo.message_id is None
    assert received.fingerprint != echo.fingerprint


def test_an_overlong_mid_is_no_message_id():
    event = dataclasses.replace(load("message_received"), mid="m" * 256)
    assert event.message_id is None
    assert event.fingerprint


def test_seen_twice_is_seen_once():
    seen = MessageSeen(account_id="1", person_id="2", occurred_at=RECEIVED, mid="m")
    later = dataclasses.replace(seen, occurred_at=RECEIVED + timedelta(seconds=5))
    assert later.dedupe_key == seen.dedupe_key


def test_reactions_are_told_apart_by_their_time():
    first = load("reaction_changed")
    again = dataclasses.replace(first, occurred_at=first.occurred_at + timedelta(seconds=1))
    assert again.dedupe_key != first.dedupe_key


def test_no_part_of_a_key_can_pretend_to_be_two():
    mention = load("mentioned")
    one = dataclasses.replace(mention, media_id="a:b", comment_id="c")
    two = dataclasses.replace(mention, media_id="a", comment_id="b:c")
    assert one.dedupe_key != two.dedupe_key


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"event_type": "from_the_future", "account_id": "1"},
        {"event_type": "message_received", "account_id": "1"},
        {"event_type": "message_received", "account_id": "1", "mid": {"a": 1}},
        {"event_type": ["message_received"]},
    ],
)
def test_a_stored_payload_of_no_known_type_is_refused(payload):
    with pytest.raises(UnreadablePayload):
        from_payload(payload, received_at=RECEIVED)


def test_members_of_a_newer_version_are_ignored():
    event = load("message_received")
    stored = {**event.to_payload(), "mood": "good"}
    assert from_payload(stored, received_at=RECEIVED) == event
