"""What the server under test is told, how it is delivered, and what the faults do to it."""

import asyncio
import base64
import hashlib
import hmac
import json

import pytest

from .conftest import SECRET, picture


async def media_id(sandbox) -> str:
    return (await sandbox.get("/me/media")).json()["data"][0]["id"]


# Shapes ----------------------------------------------------------------------------------------


async def test_a_message(sandbox):
    sent = await sandbox.driver.write("ana", "nord", "can I try the red one?")
    await sandbox.receiver.message("can I try the red one?")
    account, thread = (
        (await sandbox.driver.accounts())[0],
        await sandbox.driver.thread("ana", "nord"),
    )
    envelope = sandbox.receiver.envelopes[0]
    entry = envelope["entry"][0]
    assert envelope["object"] == "instagram"
    assert (entry["id"], len(str(entry["time"]))) == (account.id, 13)
    assert entry["messaging"] == [
        {
            "sender": {"id": thread.igsid},
            "recipient": {"id": account.id},
            "timestamp": sent.created_ms,
            "message": {"mid": sent.mid, "text": "can I try the red one?"},
        }
    ]


async def test_bytes_are_ascii_whatever_was_written(sandbox):
    await sandbox.driver.write("ana", "nord", "olá 👗")
    await sandbox.receiver.message("olá 👗")
    assert rb"ol\u00e1 \ud83d\udc57" in sandbox.receiver.posts[0]


async def test_a_comment_and_a_reply_to_it(sandbox):
    post = await media_id(sandbox)
    comment = await sandbox.driver.comment("ana", post, "size M?")
    await sandbox.receiver.expect("comments")
    reply = await sandbox.driver.comment("tom", post, "same here", parent=comment)
    found = await sandbox.receiver.expect("comments", 2)
    thread = await sandbox.driver.thread("ana", "nord")
    assert found[0]["value"] == {
        "id": comment,
        "from": {"id": thread.commenter_id, "username": "ana"},
        "text": "size M?",
        "media": {"id": post, "media_product_type": "FEED"},
    }
    assert (found[1]["value"]["id"], found[1]["value"]["parent_id"]) == (reply, comment)
    assert len(str(sandbox.receiver.envelopes[0]["entry"][0]["time"])) == 10


async def test_our_own_comments_are_marked(sandbox):
    post = await media_id(sandbox)
    await sandbox.post(f"/{await sandbox.driver.comment('ana', post, 'hi')}/replies", message="hey")
    found = await sandbox.receiver.expect("comments", 2)
    account = (await sandbox.driver.accounts())[0]
    author = next(item["value"]["from"] for item in found if item["value"]["text"] == "hey")
    assert author == {
        "id": account.id,
        "username": "nord",
        "self_ig_scoped_id": account.app_scoped_id,
    }


async def test_what_a_person_of_the_brand_types_comes_as_an_echo(sandbox):
    await sandbox.driver.write("ana", "nord", "a human please")
    sent = await sandbox.driver.owner_writes("nord", "ana", "I am here")
    echo = await sandbox.receiver.message("I am here")
    assert (echo["message"]["is_echo"], echo["message"]["mid"]) == (True, sent.mid)
    assert sent.origin == "app"


async def test_a_photo_its_link_and_the_end_of_both(sandbox):
    photo, note = await sandbox.driver.send_photo("ana", "nord", picture(), text="that is me")
    await sandbox.receiver.message("that is me")
    item = next(m for m in sandbox.receiver.of("message") if m["message"]["mid"] == photo.mid)
    assert note.mid != photo.mid
    attachment = item["message"]["attachments"][0]
    assert attachment["type"] == "image"
    link = attachment["payload"]["url"]
    assert link.startswith(f"{sandbox.url}/cdn/")
    assert (await sandbox.http.get(link)).content == picture()
    assert (await sandbox.http.get(link.replace("exp=1", "exp=2"))).status_code == 403
    await sandbox.driver.unsend("ana", photo.mid)
    await sandbox.receiver.until(
        lambda: any(m["message"].get("is_deleted") for m in sandbox.receiver.of("message"))
    )
    dead = await sandbox.http.get(link)
    assert (dead.status_code, dead.text) == (403, "URL signature expired")
    assert [m.mid for m in await sandbox.driver.messages(photo.thread)] == [note.mid]


async def test_reactions_seen_and_edits(sandbox):
    mine = await sandbox.driver.write("ana", "nord", "the red one")
    thread = await sandbox.driver.thread("ana", "nord")
    await sandbox.send({"id": thread.igsid}, message={"text": "gladly"})
    got = await sandbox.driver.wait_for_message(thread)
    await sandbox.driver.see("ana", "nord")
    assert (await sandbox.receiver.expect("read"))[0]["read"] == {"mid": got.mid}
    await sandbox.driver.see("ana", "nord")  # nothing new: nothing is said
    await sandbox.driver.react("ana", got.mid)
    await sandbox.driver.react("ana", got.mid, "")
    await sandbox.driver.edit("ana", mine.mid, "the blue one")
    await sandbox.receiver.expect("message_edit")
    reactions = [item["reaction"] for item in await sandbox.receiver.expect("reaction", 2)]
    assert reactions == [
        {"mid": got.mid, "action": "react", "reaction": "love", "emoji": "❤️"},
        {"mid": got.mid, "action": "unreact"},
    ]
    assert sandbox.receiver.of("message_edit")[0]["message_edit"] == {
        "mid": mine.mid,
        "text": "the blue one",
        "num_edit": 1,
    }
    assert len(sandbox.receiver.of("read")) == 1


async def test_reading_a_request_tells_nobody(sandbox):
    post = await media_id(sandbox)
    comment = await sandbox.driver.comment("ana", post, "try on")
    await sandbox.send({"comment_id": comment}, message={"text": "Hi"})
    await sandbox.driver.see("ana", "nord")
    await sandbox.driver.accept("ana", "nord")
    await sandbox.driver.see("ana", "nord")
    assert await sandbox.driver.wait_until_delivered()
    assert len(sandbox.receiver.of("read")) == 1


async def test_shared_posts_stories_links_and_advertisements(sandbox):
    post = await media_id(sandbox)
    story = await sandbox.driver.create_post("nord", picture("gold"), product_type="STORY")
    await sandbox.driver.share("ana", "nord", post)
    await sandbox.driver.reply_to_story("ana", "nord", story.id, "want it")
    await sandbox.driver.mention_in_story("ana", "nord", picture("navy"))
    await sandbox.driver.write("ana", "nord", "from an ad", ref="autumn")
    await sandbox.http.post(
        "/sandbox/api/shoppers/ana/link", json={"account": "nord", "ref": "drop"}
    )
    await sandbox.receiver.expect("referral")
    messages = [item["message"] for item in sandbox.receiver.of("message")]
    shared = messages[0]["attachments"][0]
    assert shared["type"] == "ig_post"
    assert shared["payload"]["ig_post_media_id"] == post
    assert shared["payload"]["title"] == "The mint dress"
    assert messages[1]["reply_to"]["story"]["id"] == story.id
    assert (await sandbox.http.get(messages[1]["reply_to"]["story"]["url"])).is_success
    assert messages[2]["attachments"][0]["type"] == "story_mention"
    assert messages[3]["referral"]["ref"] == "autumn"
    assert sandbox.receiver.of("referral")[0]["referral"]["ref"] == "drop"


async def test_no_messages_come_while_access_is_off_but_comments_do(sandbox):
    await sandbox.driver.trouble("nord", "disable_messages")
    await sandbox.driver.write("ana", "nord", "hello?")
    await sandbox.driver.comment("ana", await media_id(sandbox), "hello!")
    await sandbox.receiver.expect("comments")
    assert await sandbox.driver.wait_until_delivered()
    assert sandbox.receiver.of("message") == []


def _open(signed: str) -> dict[str, object]:
    signature, _, payload = signed.partition(".")
    mac = hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(mac).rstrip(b"=").decode() == signature
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


async def test_removing_the_app_and_asking_for_deletion(sandbox):
    account = (await sandbox.driver.accounts())[0]
    await sandbox.driver.trouble("nord", "deauthorize")
    await sandbox.driver.trouble("nord", "request_deletion")
    forms = sandbox.receiver.forms
    await sandbox.receiver.until(lambda: all(forms.values()))
    for kind in ("deauthorize", "deletion"):
        assert _open(forms[kind][0])["user_id"] == account.app_scoped_id
    assert (await sandbox.get("/me")).json()["error"]["error_subcode"] == 458
    assert await sandbox.driver.wait_until_delivered()
    deletion = next(one for one in await sandbox.driver.deliveries() if one["kind"] == "deletion")
    assert json.loads(deletion["answer"])["confirmation_code"] == "c1"


# Delivery --------------------------------------------------------------------------------------


async def test_the_handshake_comes_first_and_is_repeated_until_it_passes(sandbox):
    sandbox.receiver.pass_handshake = False
    await sandbox.driver.write("ana", "nord", "early")
    await sandbox.receiver.until(lambda: sandbox.receiver.handshakes >= 3)
    assert sandbox.receiver.posts == []
    sandbox.receiver.pass_handshake = True
    await sandbox.receiver.message("early")
    answer = await sandbox.http.post("/sandbox/api/handshake")
    assert answer.json() == {"verified": True}


@pytest.mark.parametrize("status", [201, 302, 403, 404, 500])
async def test_anything_but_200_is_tried_again(sandbox, status):
    sandbox.receiver.status = status
    await sandbox.driver.write("ana", "nord", "patience")
    await sandbox.receiver.until(lambda: sandbox.receiver.attempts >= 2)
    sandbox.receiver.status = 200
    await sandbox.receiver.message("patience")
    assert await sandbox.driver.wait_until_delivered()
    delivery = (await sandbox.driver.deliveries())[0]
    assert delivery["status"] == "delivered"
    assert delivery["attempts"] >= 3
    assert len(sandbox.receiver.posts) == 1


async def test_it_gives_up_in_the_end_and_can_be_asked_again(sandbox):
    sandbox.receiver.status = 503
    await sandbox.driver.write("ana", "nord", "lost cause")
    for _ in range(12):
        await sandbox.driver.hurry()
        await asyncio.sleep(0.02)
    assert await sandbox.driver.wait_until_delivered()
    delivery = (await sandbox.driver.deliveries())[0]
    assert (delivery["status"], delivery["attempts"]) == ("given_up", 9)
    sandbox.receiver.status = 200
    await sandbox.driver.redeliver(delivery["id"])
    await sandbox.receiver.message("lost cause")


async def test_order_is_kept_on_a_calm_day(sandbox):
    for number in range(30):
        await sandbox.driver.write("ana", "nord", f"{number}")
    await sandbox.receiver.message("29")
    texts = [item["message"]["text"] for item in sandbox.receiver.of("message")]
    assert texts == [str(number) for number in range(30)]


# Faults ----------------------------------------------------------------------------------------


async def _write_many(sandbox, count: int) -> list[str]:
    sent = await asyncio.gather(
        *(sandbox.driver.write("ana", "nord", f"{number}") for number in range(count))
    )
    return [message.mid for message in sent]


def _mids(receiver) -> list[str]:
    return [item["message"]["mid"] for item in receiver.of("message")]


async def test_duplicates(sandbox):
    await sandbox.driver.faults(duplicate=2)
    mids = await _write_many(sandbox, 4)
    await sandbox.driver.hurry()
    assert await sandbox.driver.wait_until_delivered()
    assert sorted(_mids(sandbox.receiver)) == sorted(mids * 3)


async def test_shuffled_order_loses_nothing(sandbox):
    await sandbox.driver.faults(reorder_seconds=0.5)
    for number in range(20):
        await sandbox.driver.write("ana", "nord", f"{number}")
    assert await sandbox.driver.wait_until_delivered()
    texts = [item["message"]["text"] for item in sandbox.receiver.of("message")]
    assert texts != [str(number) for number in range(20)]
    assert sorted(texts, key=int) == [str(number) for number in range(20)]


async def test_delayed_and_lost_webhooks_wait_in_the_list(sandbox):
    await sandbox.driver.faults(delay_seconds=600)
    await sandbox.driver.write("ana", "nord", "later")
    await sandbox.driver.faults(delay_seconds=0, lose_percent=100, lose_for_seconds=600)
    await sandbox.driver.write("ana", "nord", "lost")
    queued = [one for one in await sandbox.driver.deliveries() if one["status"] == "queued"]
    assert len(queued) == 2
    assert sandbox.receiver.posts == []
    await sandbox.driver.calm()
    await sandbox.receiver.message("later")
    await sandbox.receiver.message("lost")


async def test_forgeries_are_extra_and_their_refusal_is_noted(sandbox):
    await sandbox.driver.faults(forge_percent=100)
    await sandbox.driver.write("ana", "nord", "really me")
    await sandbox.receiver.message("really me")
    assert await sandbox.driver.wait_until_delivered()
    assert sandbox.receiver.forged == 1
    assert "refused (403)" in (await sandbox.driver.deliveries())[0]["note"]


async def test_batches_and_their_splitting(sandbox):
    await sandbox.driver.faults(delay_seconds=600)
    await _write_many(sandbox, 6)
    await sandbox.driver.calm()
    assert await sandbox.driver.wait_until_delivered()
    assert len(sandbox.receiver.posts) == 1
    await sandbox.driver.faults(delay_seconds=600, batch_size=1)
    await _write_many(sandbox, 3)
    await sandbox.driver.faults(delay_seconds=0)
    await sandbox.driver.hurry()
    assert await sandbox.driver.wait_until_delivered()
    assert len(sandbox.receiver.posts) == 4


async def test_other_documented_shapes(sandbox):
    await sandbox.driver.faults(list_envelope=True, flat_comments=True)
    await sandbox.driver.comment("ana", await media_id(sandbox), "flat")
    found = await sandbox.receiver.expect("comments")
    assert found[0]["value"]["text"] == "flat"
    envelope = sandbox.receiver.envelopes[0]
    assert isinstance(envelope, list)
    assert set(envelope[0]["entry"][0]) == {"id", "time", "field", "value"}


async def test_echoes_can_be_silenced(sandbox):
    await sandbox.driver.write("ana", "nord", "hi")
    thread = await sandbox.driver.thread("ana", "nord")
    await sandbox.driver.faults(echoes=False)
    await sandbox.send({"id": thread.igsid}, message={"text": "quiet"})
    assert await sandbox.driver.wait_until_delivered()
    assert [m["message"]["text"] for m in sandbox.receiver.of("message")] == ["hi"]
