"""The handshake, the signature, and taking deliveries apart, however strange."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selify.core.errors import BadRequest
from selify.vendors.instagram import webhook
from selify.vendors.instagram.webhook import (
    HandshakeRefused,
    OversizedDelivery,
    SignatureWrong,
    UnreadableDelivery,
    parse,
    parse_entry,
    sign,
    verify_challenge,
    verify_signature,
)
from selify.vendors.instagram.webhook_events import CommentReceived, Unknown, from_payload

FIXTURES = Path(__file__).parents[2] / "fixtures" / "instagram"
RECEIVED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ACCOUNT = "17841467300055120"

SHEET_SECRET = "test-app-secret"
SHEET_BODY = (
    rb'{"object":"instagram","entry":[{"id":"17841400000000001","time":1760000000123,"messaging":['
    rb'{"sender":{"id":"900000000001"},"recipient":{"id":"17841400000000001"},'
    rb'"timestamp":1760000000001,"message":{"mid":"mid.A1","text":"ol\u00e1"}}]}]}'
)
SHEET_SIGNATURE = "sha256=7aec16731f6248dd23facce211482386caf63265418dd4d3e53f88a4866c9617"


def read(document) -> webhook.ParsedDelivery:
    return parse(json.dumps(document).encode(), received_at=RECEIVED)


def entry(**members) -> dict:
    return {"object": "instagram", "entry": [{"id": ACCOUNT, "time": 1794990600000, **members}]}


def message(mid="m1", **members) -> dict:
    return {
        "sender": {"id": "900"},
        "recipient": {"id": ACCOUNT},
        "timestamp": 1794990600000,
        "message": {"mid": mid, "text": "hi"},
        **members,
    }


# Signature and handshake


def test_the_sheets_vector():
    verify_signature(SHEET_BODY, SHEET_SIGNATURE, [SHEET_SECRET])
    assert sign(SHEET_BODY, SHEET_SECRET) == SHEET_SIGNATURE
    (event,) = parse(SHEET_BODY, received_at=RECEIVED).events
    assert event.text == "olá"


def test_a_previous_secret_still_signs():
    verify_signature(SHEET_BODY, SHEET_SIGNATURE, ["new-secret", SHEET_SECRET])


@pytest.mark.parametrize(
    ("header", "secrets"),
    [
        (None, [SHEET_SECRET]),
        ("", [SHEET_SECRET]),
        (SHEET_SIGNATURE, []),
        (SHEET_SIGNATURE, ["another"]),
        (SHEET_SIGNATURE.removeprefix("sha256="), [SHEET_SECRET]),
        (SHEET_SIGNATURE.replace("sha256", "sha1"), [SHEET_SECRET]),
        (SHEET_SIGNATURE.upper(), [SHEET_SECRET]),
        (SHEET_SIGNATURE + "0", [SHEET_SECRET]),
        (SHEET_SIGNATURE[:-1], [SHEET_SECRET]),
        ("sha256=é", [SHEET_SECRET]),
        ("sha256=\ud800", [SHEET_SECRET]),
        (sign(SHEET_BODY, ""), ["", SHEET_SECRET]),
    ],
)
def test_what_is_not_signed_by_us_is_refused(header, secrets):
    with pytest.raises(SignatureWrong) as refused:
        verify_signature(SHEET_BODY, header, secrets)
    assert refused.value.status == 403


@settings(deadline=None)
@given(position=st.integers(0, len(SHEET_BODY) - 1), bit=st.integers(0, 7))
def test_any_changed_bit_of_the_body_is_noticed(position, bit):
    changed = bytearray(SHEET_BODY)
    changed[position] ^= 1 << bit
    with pytest.raises(SignatureWrong):
        verify_signature(bytes(changed), SHEET_SIGNATURE, [SHEET_SECRET])


def handshake(**changes) -> dict[str, str]:
    params = {"mode": "subscribe", "verify_token": "word", "challenge": "1158201444"} | changes
    return {f"hub.{name}": value for name, value in params.items() if value is not None}


def test_the_handshake_answers_with_the_bare_challenge():
    assert verify_challenge(handshake(), "word") == "1158201444"


@pytest.mark.parametrize("token", ["", "other", None, "wörd", "\ud800"])
def test_another_verify_token_is_refused(token):
    with pytest.raises(HandshakeRefused):
        verify_challenge(handshake(verify_token=token), "word")


def test_no_verify_token_of_ours_means_no_handshake():
    with pytest.raises(HandshakeRefused):
        verify_challenge(handshake(verify_token=""), "")


@pytest.mark.parametrize(
    "changes",
    [
        {"challenge": "<script>"},
        {"challenge": ""},
        {"challenge": None},
        {"challenge": "1" * 500},
        {"challenge": "12\n"},
        {"mode": "unsubscribe"},
        {"mode": None},
    ],
)
def test_a_challenge_that_is_not_letters_and_digits_is_not_echoed(changes):
    with pytest.raises(UnreadableDelivery):
        verify_challenge(handshake(**changes), "word")


# Taking apart


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"{", b"\xff\xfe", b'{"a":NaN}', b"[" * 100_000, b"[" * 500 + b"]" * 500],
)
def test_what_is_no_json_is_a_bad_request(body):
    with pytest.raises(BadRequest):
        parse(body, received_at=RECEIVED)


def test_an_oversized_delivery_is_refused_before_it_is_read():
    with pytest.raises(OversizedDelivery) as refused:
        parse(b" " * (webhook.MAX_BODY_BYTES + 1), received_at=RECEIVED)
    assert refused.value.status == 413
    assert isinstance(refused.value, BadRequest)


def test_a_thousand_updates_in_one_delivery():
    updates = [message(f"m{number}") for number in range(1_000)]
    delivery = read(entry(messaging=updates))
    assert len({event.fingerprint for event in delivery.events}) == 1_000


@pytest.mark.parametrize(
    ("document", "entry_id", "reason"),
    [
        (None, "unknown", "no list of entries"),
        ("text", "unknown", "no list of entries"),
        ({"object": "instagram"}, "unknown", "no list of entries"),
        ({"object": "page", "entry": [{"id": "1"}]}, "unknown", "not about Instagram"),
        ({"object": "instagram", "entry": ["x"]}, "unknown", "the entry names no account"),
        ({"object": "instagram", "entry": [{"time": 1}]}, "unknown", "the entry names no account"),
        (entry(), ACCOUNT, "the entry has no updates"),
        (entry(messaging=[]), ACCOUNT, "the entry has no updates"),
        (entry(messaging=[7]), ACCOUNT, "the update is no object"),
        (entry(messaging=[message(None)]), ACCOUNT, "the message has no mid"),
        (entry(messaging=[message(sender=None)]), ACCOUNT, "nobody is named on the other side"),
        (entry(changes=[{"field": "comments"}]), ACCOUNT, "the change has no field and value"),
        (entry(changes=[{"field": "comments", "value": {}}]), ACCOUNT, "the comment has no id"),
        (
            entry(changes=[{"field": "mentions", "value": {}}]),
            ACCOUNT,
            "the mention names no media",
        ),
        (entry(field="comments", value=[1]), ACCOUNT, "the change has no field and value"),
    ],
)
def test_what_cannot_be_understood_is_handed_back_with_the_reason(document, entry_id, reason):
    delivery = read(document)
    assert delivery.events == ()
    (raw,) = delivery.unparsed
    assert (raw.entry_id, raw.reason) == (entry_id, reason)
    assert raw.raw is not None or document is None


def test_one_strange_update_does_not_take_the_others_with_it():
    delivery = read(entry(messaging=[message("m1"), "?", message("m2"), message(None)]))
    assert [event.mid for event in delivery.events] == ["m1", "m2"]
    assert [raw.raw["messaging"] for raw in delivery.unparsed] == [["?"], [message(None)]]


def test_a_parked_entry_can_be_read_again():
    (raw,) = read(entry(messaging=[message(None)])).unparsed
    raw.raw["messaging"][0]["message"]["mid"] = "m9"
    (event,) = parse_entry(raw.raw, received_at=RECEIVED).events
    assert (event.mid, event.account_id) == ("m9", ACCOUNT)


def test_an_entry_of_every_form_at_once():
    change = {"field": "comments", "value": {"id": "5", "from": {"id": "900"}, "text": "x"}}
    document = entry(
        messaging=[message("m1")],
        standby=[message("m2")],
        changes=[change],
        field="comments",
        value={"id": "6", "from": {"id": "900"}},
    )
    assert [str(event.event_type) for event in read(document).events] == [
        "message_received",
        "standby_received",
        "comment_received",
        "comment_received",
    ]


def test_one_update_with_two_members_is_two_events():
    both = message("m1", read={"mid": "m0"})
    assert [event.event_type for event in read(entry(messaging=[both])).events] == [
        "message_received",
        "message_seen",
    ]


def test_a_single_update_where_a_list_is_expected():
    (event,) = read(entry(messaging=message("m1"))).events
    assert event.mid == "m1"


def test_an_unknown_field_is_kept_whole():
    value = {"product_id": 7, "state": {"deep": [1, None]}}
    (event,) = read(entry(changes=[{"field": "shopping", "value": value}])).events
    assert isinstance(event, Unknown)
    assert (event.kind, event.content) == ("shopping", value)


@pytest.mark.parametrize(
    ("members", "own"),
    [
        ({"sender": {"id": "900"}, "recipient": {"id": ACCOUNT}}, False),
        ({"sender": {"id": ACCOUNT}, "recipient": {"id": "900"}}, True),
        ({"sender": {"id": 900}, "recipient": {"id": int(ACCOUNT)}}, False),
    ],
)
def test_our_own_messages_are_known_by_sender_too(members, own):
    (event,) = read(entry(messaging=[message(**members)])).events
    assert event.is_own is own
    assert event.person_id == "900"
    assert event.event_type == ("message_echoed" if own else "message_received")


def test_ids_may_be_numbers():
    value = {"id": 18330471220091145, "from": {"id": 900}, "media": {"id": 18061120457739004}}
    (event,) = read(entry(changes=[{"field": "comments", "value": value}])).events
    assert isinstance(event, CommentReceived)
    assert (event.comment_id, event.media_id) == ("18330471220091145", "18061120457739004")


def test_text_that_no_database_can_store_is_made_storable():
    body = json.dumps(entry(messaging=[message("m1")])).replace('"hi"', r'"a\u0000b\ud83dc"')
    (event,) = parse(body.encode(), received_at=RECEIVED).events
    assert event.text == "a\ufffdb\ufffdc"
    json.dumps(event.to_payload(), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (1794990600123, datetime(2026, 11, 18, 8, 30, 0, 123000, tzinfo=UTC)),
        (1794990600, datetime(2026, 11, 18, 8, 30, tzinfo=UTC)),
        ("1794990600", datetime(2026, 11, 18, 8, 30, tzinfo=UTC)),
        ("1794990600123", datetime(2026, 11, 18, 8, 30, 0, 123000, tzinfo=UTC)),
    ],
)
def test_times_in_milliseconds_and_seconds(timestamp, expected):
    (event,) = read(entry(messaging=[message(timestamp=timestamp)])).events
    assert (event.occurred_at, event.timed) == (expected, True)


@pytest.mark.parametrize(
    "timestamp", [None, 0, -5, True, 10**18, "soon", "١٢", 1e300, [], "9" * 40]
)
def test_a_senseless_time_gives_way_to_the_deliverys(timestamp):
    (event,) = read(entry(messaging=[message(timestamp=timestamp)])).events
    assert event.occurred_at == datetime(2026, 11, 18, 8, 30, tzinfo=UTC)
    assert not event.timed


def test_without_any_time_it_happened_when_it_arrived():
    document = {
        "object": "instagram",
        "entry": [{"id": ACCOUNT, "messaging": [message(timestamp=None)]}],
    }
    (event,) = read(document).events
    assert event.occurred_at == RECEIVED


# Whatever comes

IDS = st.sampled_from(["1", ACCOUNT, "900", "", 5, None, "x" * 600])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    [
        "message",
        "message_edit",
        "reaction",
        "postback",
        "read",
        "referral",
        "optin",
        "pass_thread_control",
        "strange",
    ]
)
INNER = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(JSON, IDS, st.booleans())
        for name in (
            "mid",
            "text",
            "attachments",
            "is_echo",
            "is_self",
            "is_deleted",
            "reply_to",
            "quick_reply",
            "referral",
            "num_edit",
            "payload",
            "action",
            "emoji",
            "app_id",
        )
    },
)
PARTY = st.one_of(JSON, st.fixed_dictionaries({"id": IDS}))
ITEM = st.builds(
    lambda sides, members: {**sides, **members},
    st.fixed_dictionaries(
        {}, optional={"sender": PARTY, "recipient": PARTY, "timestamp": JSON | st.integers()}
    ),
    st.dictionaries(MEMBERS, INNER | JSON, max_size=2),
)
CHANGE = st.fixed_dictionaries(
    {},
    optional={
        "field": st.sampled_from(["comments", "mentions", "messages", "standby", "new"]) | JSON,
        "value": st.one_of(
            JSON,
            ITEM,
            st.fixed_dictionaries(
                {"id": IDS}, optional={"from": PARTY | JSON, "media": JSON, "text": JSON}
            ),
        ),
    },
)
ENTRY = st.fixed_dictionaries(
    {"id": IDS},
    optional={
        "time": JSON | st.integers(0, 2**60),
        "messaging": st.lists(ITEM | JSON, max_size=3) | JSON,
        "standby": st.lists(ITEM, max_size=2),
        "changes": st.lists(CHANGE | JSON, max_size=3),
        "field": JSON,
        "value": JSON,
    },
)
DELIVERY = st.fixed_dictionaries(
    {"object": st.just("instagram"), "entry": st.lists(ENTRY | JSON, max_size=3)}
)


def check_whole(delivery: webhook.ParsedDelivery) -> None:
    """Whatever came out can be stored, keyed and found again."""
    for event in delivery.events:
        stored = json.loads(json.dumps(event.to_payload(), allow_nan=False))
        json.dumps(stored, ensure_ascii=False).encode()
        assert from_payload(stored, received_at=event.occurred_at) == event
        assert len(event.fingerprint) == 64
    for raw in delivery.unparsed:
        json.dumps(raw.raw, allow_nan=False, ensure_ascii=False).encode()
        assert raw.entry_id
        assert raw.reason


@settings(max_examples=300, deadline=None)
@given(DELIVERY | JSON | st.lists(DELIVERY, max_size=2))
@example([])
@example({"object": "instagram", "entry": []})
def test_any_json_is_taken_apart_without_a_complaint(document):
    check_whole(parse(json.dumps(document).encode(), received_at=RECEIVED))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
@example(b'{"a":1e999}')
@example(b'"\\ud800"')
@example(b"1" * 5000)
def test_any_bytes_are_taken_apart_or_are_a_bad_request(body):
    try:
        delivery = parse(body, received_at=RECEIVED)
    except BadRequest:
        return
    check_whole(delivery)


# A name that stands in one object twice


def text_of(*members: tuple[str, str]) -> str:
    """An object of members as they stand, whatever their names."""
    return "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}"


FRAME = (("id", f'"{ACCOUNT}"'), ("time", "1794990600000"))
TALK = (("sender", '{"id":"900"}'), ("recipient", f'{{"id":"{ACCOUNT}"}}'), ("timestamp", "1"))
ABOUT = ("object", '"instagram"')


def says(mid: str, *more: tuple[str, str]) -> tuple[str, str]:
    return "message", text_of(("mid", f'"{mid}"'), *more)


def item_of(*members: tuple[str, str]) -> str:
    return text_of(*TALK, *members)


def entry_of(*members: tuple[str, str]) -> str:
    return text_of(*FRAME, *members)


ONE, TWO = item_of(says("m1")), item_of(says("m2"))
FIRST, SECOND = (entry_of(("messaging", f"[{one}]")) for one in (ONE, TWO))
A_COMMENT, ANOTHER = '{"id":"c1"}', '{"id":"c2"}'


def change_of(*members: tuple[str, str]) -> str:
    return text_of(("field", '"comments"'), *members)


def delivered(*members: tuple[str, str]) -> webhook.ParsedDelivery:
    return parse(text_of(*members).encode(), received_at=RECEIVED)


def named(delivery: webhook.ParsedDelivery) -> set[str]:
    return {getattr(one, "mid", "") or getattr(one, "comment_id", "") for one in delivery.events}


@pytest.mark.parametrize("before", ["[{}]", "{}"], ids=["list", "object"])
@pytest.mark.parametrize("after", ["[{}]", "{}"], ids=["list", "object"])
@pytest.mark.parametrize("name", ["entry", "messaging", "standby", "changes"])
def test_lists_of_one_name_are_joined_and_so_is_what_is_no_list(name, before, after):
    one, other = {
        "entry": (FIRST, SECOND),
        "changes": (change_of(("value", A_COMMENT)), change_of(("value", ANOTHER))),
    }.get(name, (ONE, TWO))
    twice = ((name, before.replace("{}", one)), (name, after.replace("{}", other)))
    inside = twice if name == "entry" else (("entry", f"[{entry_of(*twice)}]"),)
    delivery = delivered(ABOUT, *inside)
    assert delivery.unparsed == ()
    assert named(delivery) == ({"c1", "c2"} if name == "changes" else {"m1", "m2"})


def alone(*members: tuple[str, str]) -> tuple[str, str]:
    return "entry", f"[{entry_of(*members)}]"


def in_messaging(*items: str) -> tuple[str, str]:
    return alone(("messaging", "[" + ",".join(items) + "]"))


LOST, KEPT = '{"id":"lost"}', '{"id":"kept"}'
PARKED = {
    "two messages in one item": in_messaging(item_of(says("lost"), says("kept"))),
    "two texts in one message": in_messaging(
        item_of(says("m", ("text", '"lost"'), ("text", '"kept"')))
    ),
    "deep in an attachment": in_messaging(
        item_of(says("m", ("attachments", '[[{"payload":{"url":"lost","url":"kept"}}]]')))
    ),
    "two ids": in_messaging(item_of(("message", '{"mid":"lost","mid":"kept"}'))),
    "two senders": in_messaging(item_of(("sender", LOST), says("kept"))),
    "two values of a change": alone(("changes", change_of(("value", LOST), ("value", KEPT)))),
    "two ids of an entry": alone(("id", '"lost"'), ("messaging", item_of(says("kept")))),
    "two times of an entry": alone(("time", "7"), ("messaging", item_of(says("lost kept")))),
    "names that are one once they can be stored": in_messaging(
        item_of(("message", r'{"mid":"m","a\u0000":"lost","a\ud800":"kept"}'))
    ),
}


@pytest.mark.parametrize("entry_", PARKED.values(), ids=PARKED)
def test_where_nobody_can_tell_which_is_meant_it_is_parked_whole_and_stays_so(entry_):
    delivery = delivered(ABOUT, entry_)
    assert delivery.events == ()
    (parked,) = delivery.unparsed
    assert parked.reason in ("a name stands in it twice", "the entry names no account")
    assert all(word in json.dumps(parked.raw) for word in ("lost", "kept"))
    again = parse_entry(json.loads(json.dumps(parked.raw)), received_at=RECEIVED)
    assert (again.events, len(again.unparsed)) == ((), 1)


def test_what_stands_beside_it_is_not_kept_waiting():
    ambiguous = item_of(says("lost"), says("kept"))
    delivery = delivered(ABOUT, in_messaging(ONE, ambiguous, TWO))
    assert named(delivery) == {"m1", "m2"}
    assert len(delivery.unparsed) == 1


def test_what_is_said_twice_in_the_same_words_is_said_once():
    delivery = delivered(ABOUT, ABOUT, in_messaging(item_of(says("m1"), says("m1"))))
    assert (named(delivery), delivery.unparsed) == ({"m1"}, ())


def test_of_two_envelopes_in_one_nothing_is_taken_for_granted():
    delivery = delivered(ABOUT, ("object", '"page"'), ("entry", f"[{FIRST}]"))
    assert delivery.events == ()
    assert "m1" in json.dumps([parked.raw for parked in delivery.unparsed])


def test_order_and_batching_do_not_change_what_happened():
    entries = []
    for path in sorted(FIXTURES.glob("*.json")):
        document = json.loads(path.read_text())
        for envelope in document if isinstance(document, list) else [document]:
            entries += envelope["entry"]
    alone = {print_of(event) for item in entries for event in read_entries([item]).events}
    for seed in range(20):
        shuffled = random.Random(seed).sample(entries, len(entries))
        cut = random.Random(seed).randrange(len(shuffled))
        batches = [read_entries(shuffled[:cut]), read_entries(shuffled[cut:])]
        assert {print_of(event) for batch in batches for event in batch.events} == alone
    merged = {"id": ACCOUNT, "time": 1794990600000, "messaging": [], "changes": []}
    for item in entries:
        merged["messaging"] += item.get("messaging", [])
        merged["changes"] += item.get("changes", [])
    assert {print_of(event) for event in read_entries([merged]).events} <= alone


def read_entries(entries) -> webhook.ParsedDelivery:
    return read({"object": "instagram", "entry": entries})


def print_of(event) -> str:
    return event.fingerprint + json.dumps(event.to_payload(), sort_keys=True)
