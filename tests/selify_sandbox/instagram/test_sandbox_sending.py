"""The Send API: what is accepted, what the shopper sees, and every refusal."""

import asyncio

import pytest

from .conftest import picture


@pytest.fixture
async def talking(sandbox):
    """Ana wrote, so the window is open."""
    await sandbox.driver.write("ana", "nord", "can I try it?")
    return sandbox, await sandbox.driver.thread("ana", "nord")


async def refusal(answer) -> tuple[int, int | None]:
    error = answer.json()["error"]
    return error["code"], error.get("error_subcode")


async def comment_of(sandbox, person="ana") -> str:
    post = (await sandbox.get("/me/media")).json()["data"][0]["id"]
    return await sandbox.driver.comment(person, post, "try on")


async def test_text_arrives_and_is_echoed_with_the_same_id(talking):
    sandbox, thread = talking
    sent = (await sandbox.send({"id": thread.igsid}, message={"text": "Grüße ❤"})).json()
    assert sent["recipient_id"] == thread.igsid
    got = await sandbox.driver.wait_for_message(thread)
    assert (got.mid, got.text, got.origin) == (sent["message_id"], "Grüße ❤", "api")
    echo = await sandbox.receiver.message("Grüße ❤")
    assert echo["message"]["is_echo"] is True
    assert echo["message"]["mid"] == sent["message_id"]
    account = (await sandbox.driver.accounts())[0]
    assert (echo["sender"]["id"], echo["recipient"]["id"]) == (account.id, thread.igsid)


@pytest.mark.parametrize(
    ("text", "accepted"), [("x" * 1000, True), ("x" * 1001, False), ("ä" * 501, False), ("", False)]
)
async def test_text_is_limited_in_bytes(talking, text, accepted):
    sandbox, thread = talking
    answer = await sandbox.send({"id": thread.igsid}, message={"text": text})
    assert answer.is_success == accepted
    if not accepted:
        assert (await refusal(answer))[0] == 100


@pytest.mark.parametrize("spelling", ["attachment", "attachments"])
async def test_an_image_is_really_fetched(talking, spelling):
    sandbox, thread = talking
    url = sandbox.receiver.serve_picture("result.png", picture("crimson"))
    part = {"type": "image", "payload": {"url": url}}
    answer = await sandbox.send({"id": thread.igsid}, message={spelling: part})
    assert answer.is_success
    assert sandbox.receiver.fetched == ["result.png"]
    got = await sandbox.driver.wait_for_message(thread, lambda message: bool(message.pictures))
    assert await sandbox.driver.picture(got.pictures[0]) == picture("crimson")


async def test_several_images_in_one_message(talking):
    sandbox, thread = talking
    parts = [
        {"type": "image", "payload": {"url": sandbox.receiver.serve_picture(f"{n}.png", picture())}}
        for n in range(3)
    ]
    assert (await sandbox.send({"id": thread.igsid}, message={"attachments": parts})).is_success
    got = await sandbox.driver.wait_for_message(thread)
    assert len(got.pictures) == 3
    eleven = await sandbox.send({"id": thread.igsid}, message={"attachments": parts[:1] * 11})
    assert (await refusal(eleven))[0] == 100


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, (100, 2018047)),
        (b"no picture at all", (100, 2018047)),
        (b"\x89PNG\r\n\x1a\n" + bytes(8 * 1024 * 1024), (100, 2018109)),
    ],
    ids=["missing", "no picture", "too big"],
)
async def test_images_that_cannot_be_sent(talking, data, expected):
    sandbox, thread = talking
    url = f"{sandbox.receiver.base}/pictures/x.png"
    if data is not None:
        sandbox.receiver.serve_picture("x.png", data)
    part = {"type": "image", "payload": {"url": url}}
    answer = await sandbox.send({"id": thread.igsid}, message={"attachment": part})
    assert await refusal(answer) == expected
    assert len(await sandbox.driver.messages(thread)) == 1


async def test_an_unreachable_or_odd_image_address(talking):
    sandbox, thread = talking
    for url, code in (("http://127.0.0.1:9/x.png", 2018047), ("file:///etc/passwd", None)):
        part = {"type": "image", "payload": {"url": url}}
        answer = await sandbox.send({"id": thread.igsid}, message={"attachment": part})
        assert await refusal(answer) == (100, code)


async def test_uploading_once_and_sending_by_id(talking):
    sandbox, thread = talking
    url = sandbox.receiver.serve_picture("once.png", picture())
    part = {"type": "image", "payload": {"url": url, "is_reusable": True}}
    made = await sandbox.post("/me/message_attachments", {"message": {"attachment": part}})
    by_id = {"type": "image", "payload": {"attachment_id": made.json()["attachment_id"]}}
    for _ in range(2):
        answer = await sandbox.send({"id": thread.igsid}, message={"attachment": by_id})
        assert answer.is_success
    assert sandbox.receiver.fetched == ["once.png"]


async def test_quick_replies_are_cut_shown_and_tapped(talking):
    sandbox, thread = talking
    chips = [
        {"content_type": "text", "title": "Love it so very much indeed", "payload": "LIKE"},
        {"content_type": "text", "title": "No", "payload": "DISLIKE"},
    ]
    message = {"text": "And?", "quick_replies": chips}
    assert (await sandbox.send({"id": thread.igsid}, message=message)).is_success
    got = await sandbox.driver.wait_for_message(thread)
    assert got.quick_replies == (("Love it so very much", "LIKE"), ("No", "DISLIKE"))
    tapped = await sandbox.driver.tap("ana", got.mid, payload="DISLIKE")
    item = await sandbox.receiver.message("No")
    assert item["message"]["quick_reply"] == {"payload": "DISLIKE"}
    assert item["message"]["mid"] == tapped.mid


async def test_a_template_and_its_button(talking):
    sandbox, thread = talking
    element = {
        "title": "Mint dress",
        "subtitle": "89 €",
        "image_url": sandbox.receiver.serve_picture("mint.png", picture()),
        "buttons": [
            {"type": "web_url", "title": "Shop", "url": "https://example.com"},
            {"type": "postback", "title": "Another", "payload": "MORE"},
        ],
    }
    payload = {"template_type": "generic", "elements": [element]}
    answer = await sandbox.send(
        {"id": thread.igsid}, message={"attachment": {"type": "template", "payload": payload}}
    )
    assert answer.is_success
    got = await sandbox.driver.wait_for_message(thread)
    assert got.elements[0]["title"] == "Mint dress"
    await sandbox.driver.tap("ana", got.mid, payload="MORE")
    postback = (await sandbox.receiver.expect("postback"))[0]["postback"]
    assert (postback["title"], postback["payload"]) == ("Another", "MORE")
    assert postback["mid"]


def _element(**changes):
    return {"template_type": "generic", "elements": [{"title": "t", **changes}]}


@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        "text",
        {"text": 5},
        {"text": "a", "attachment": {"type": "like_heart"}},
        {"attachment": "x"},
        {"attachment": {"type": "hologram", "payload": {"url": "http://x"}}},
        {"attachment": {"type": "MEDIA_SHARE", "payload": {"id": "1"}}},
        {"attachment": {"type": "image", "payload": {"attachment_id": "1"}}},
        {"attachment": {"type": "template", "payload": {"template_type": "receipt"}}},
        {"attachment": {"type": "template", "payload": _element(title="t" * 81)}},
        {"attachment": {"type": "template", "payload": _element(buttons=[{"type": "pay"}])}},
        {"attachment": {"type": "template", "payload": _element(buttons=[{}] * 4)}},
        {"text": "a", "quick_replies": [{"content_type": "user_email"}]},
        {"text": "a", "quick_replies": [{"content_type": "text", "title": "", "payload": "x"}]},
        {"text": "a", "quick_replies": ["x"]},
        {
            "text": "a",
            "quick_replies": [{"content_type": "text", "title": "t", "payload": "p"}] * 14,
        },
    ],
)
async def test_malformed_messages_are_bad_parameters(talking, message):
    sandbox, thread = talking
    answer = await sandbox.send({"id": thread.igsid}, message=message)
    assert (answer.status_code, (await refusal(answer))[0]) == (400, 100)
    assert len(await sandbox.driver.messages(thread)) == 1


@pytest.mark.parametrize("body", [{}, {"recipient": {}}, {"recipient": "x"}])
async def test_a_recipient_is_needed(sandbox, body):
    answer = await sandbox.post("/me/messages", body | {"message": {"text": "x"}})
    assert (await refusal(answer))[0] == 100


async def test_an_own_post_and_a_heart_can_be_sent(talking):
    sandbox, thread = talking
    post = (await sandbox.get("/me/media")).json()["data"][0]["id"]
    for part in ({"type": "MEDIA_SHARE", "payload": {"id": post}}, {"type": "like_heart"}):
        answer = await sandbox.send({"id": thread.igsid}, message={"attachment": part})
        assert answer.is_success, answer.text


async def test_typing_seen_and_reactions(talking):
    sandbox, thread = talking
    mine = (await sandbox.driver.messages(thread))[0]
    for action in ("typing_on", "typing_off", "mark_seen"):
        answer = await sandbox.send({"id": thread.igsid}, sender_action=action)
        assert answer.json() == {"recipient_id": thread.igsid}
    payload = {"message_id": mine.mid, "reaction": "love"}
    await sandbox.send({"id": thread.igsid}, sender_action="react", payload=payload)
    shown = (await sandbox.driver.messages(thread))[0]
    assert (shown.seen, shown.reactions) == (True, ("❤️",))
    await sandbox.send({"id": thread.igsid}, sender_action="unreact", payload=payload)
    assert (await sandbox.driver.messages(thread))[0].reactions == ()
    for wrong in ({"sender_action": "dance"}, {"sender_action": "react"}):
        assert (await refusal(await sandbox.send({"id": thread.igsid}, **wrong)))[0] == 100


async def test_answering_a_certain_message(talking):
    sandbox, thread = talking
    mine = (await sandbox.driver.messages(thread))[0]
    answer = await sandbox.send(
        {"id": thread.igsid}, message={"text": "yes"}, reply_to={"mid": mine.mid}
    )
    assert answer.is_success
    echo = await sandbox.receiver.message("yes")
    assert echo["message"]["reply_to"] == {"mid": mine.mid}
    await sandbox.driver.unsend("ana", mine.mid)
    gone = await sandbox.send(
        {"id": thread.igsid}, message={"text": "yes?"}, reply_to={"mid": mine.mid}
    )
    assert (await refusal(gone))[0] == 10900


async def test_the_window_closes_after_a_day_and_a_human_has_seven(talking):
    sandbox, thread = talking
    await sandbox.driver.close_window(thread)
    closed = await sandbox.send({"id": thread.igsid}, message={"text": "late"})
    assert (closed.status_code, await refusal(closed)) == (403, (10, 2534022))
    human = await sandbox.send({"id": thread.igsid}, message={"text": "I"}, tag="HUMAN_AGENT")
    assert human.is_success
    other = await sandbox.send({"id": thread.igsid}, message={"text": "I"}, tag="ACCOUNT_UPDATE")
    assert (await refusal(other))[0] == 100
    await sandbox.driver.write("ana", "nord", "still there?")
    assert (await sandbox.send({"id": thread.igsid}, message={"text": "yes"})).is_success


async def test_private_reply_gives_the_id_of_the_conversation_not_of_the_comment(sandbox):
    comment = await comment_of(sandbox)
    heard = (await sandbox.receiver.expect("comments"))[0]["value"]
    answer = (await sandbox.send({"comment_id": comment}, message={"text": "Hi!"})).json()
    thread = await sandbox.driver.thread("ana", "nord")
    assert heard["from"]["id"] == thread.commenter_id
    assert answer["recipient_id"] == thread.igsid != thread.commenter_id
    got = await sandbox.driver.wait_for_message(thread)
    assert (got.text, got.private_reply_to, thread.request) == ("Hi!", comment, True)
    by_comment_id = await sandbox.send({"id": thread.commenter_id}, message={"text": "x"})
    assert await refusal(by_comment_id) == (100, 2534014)


async def test_ids_can_be_the_same(sandbox):
    await sandbox.driver.faults(separate_comment_ids_percent=0)
    thread = await sandbox.driver.thread("ana", "nord")
    assert thread.igsid == thread.commenter_id


async def test_one_private_reply_per_comment_even_at_once(sandbox):
    comment = await comment_of(sandbox)
    answers = await asyncio.gather(
        *(sandbox.send({"comment_id": comment}, message={"text": f"{n}"}) for n in range(5))
    )
    assert sum(answer.is_success for answer in answers) == 1
    refused = [await refusal(answer) for answer in answers if answer.is_error]
    assert set(refused) == {(10, 2534025)}
    assert len(await sandbox.driver.messages(await sandbox.driver.thread("ana", "nord"))) == 1


async def test_private_reply_does_not_open_the_window(sandbox):
    comment = await comment_of(sandbox)
    sent = (await sandbox.send({"comment_id": comment}, message={"text": "Hi!"})).json()
    more = await sandbox.send({"id": sent["recipient_id"]}, message={"text": "And?"})
    assert await refusal(more) == (10, 2534022)


async def test_a_follower_gets_the_private_reply_in_the_inbox(sandbox):
    comment = await comment_of(sandbox, "tom")
    await sandbox.send({"comment_id": comment}, message={"text": "Hi!"})
    assert (await sandbox.driver.thread("tom", "nord")).request is False


async def test_private_replies_end_after_seven_days(sandbox):
    comment = await comment_of(sandbox)
    await sandbox.driver.age_comment(comment, 8)
    late = await sandbox.send({"comment_id": comment}, message={"text": "Hi!"})
    assert await refusal(late) == (10, 2534022)


async def test_private_reply_to_nothing_or_to_oneself(sandbox):
    post = (await sandbox.get("/me/media")).json()["data"][0]["id"]
    own = await sandbox.driver.owner_comments("nord", post, "Back in stock")
    for comment in ("123", own):
        answer = await sandbox.send({"comment_id": comment}, message={"text": "Hi!"})
        assert await refusal(answer) == (100, 33)


async def test_strangers_and_those_who_blocked_us(talking):
    sandbox, thread = talking
    unknown = await sandbox.send({"id": "999"}, message={"text": "x"})
    assert await refusal(unknown) == (100, 2534014)
    await sandbox.driver.relate("ana", "nord", blocked=True)
    blocked = await sandbox.send({"id": thread.igsid}, message={"text": "x"})
    assert await refusal(blocked) == (551, 1545041)
    await sandbox.driver.relate("ana", "nord", blocked=False)
    assert (await sandbox.send({"id": thread.igsid}, message={"text": "x"})).is_success


@pytest.mark.parametrize(
    ("action", "back", "expected"),
    [
        ("disable_messages", "enable_messages", (200, 2534041)),
        ("restrict", "lift_restriction", (10, 1893063)),
        ("ban", "lift_ban", (100, 2534029)),
    ],
)
async def test_accounts_that_may_not_send(talking, action, back, expected):
    sandbox, thread = talking
    await sandbox.driver.trouble("nord", action)
    answer = await sandbox.send({"id": thread.igsid}, message={"text": "x"})
    assert await refusal(answer) == expected
    await sandbox.driver.trouble("nord", back)
    assert (await sandbox.send({"id": thread.igsid}, message={"text": "x"})).is_success


async def test_ice_breakers_appear_and_their_postback_has_no_mid(sandbox):
    question = {"question": "Can I try it on?", "payload": "TRY"}
    profile = {"platform": "instagram", "ice_breakers": [{"call_to_actions": [question]}]}
    assert (await sandbox.post("/me/messenger_profile", profile)).json() == {"result": "success"}
    assert (await sandbox.get("/me/messenger_profile")).json()["data"][0]["ice_breakers"]
    await sandbox.http.post(
        "/sandbox/api/shoppers/ana/ice-breaker", json={"account": "nord", "payload": "TRY"}
    )
    postback = (await sandbox.receiver.expect("postback"))[0]["postback"]
    assert postback == {"title": "Can I try it on?", "payload": "TRY"}
    thread = await sandbox.driver.thread("ana", "nord")
    assert (await sandbox.send({"id": thread.igsid}, message={"text": "Sure"})).is_success
