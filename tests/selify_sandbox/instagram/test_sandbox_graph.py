"""Reading the Graph, comments, subscriptions, usage headers."""

import asyncio
import json

import pytest

from selify_sandbox.instagram import Limits

from .conftest import furnish, picture, sandbox_at


async def media_id(sandbox) -> str:
    return (await sandbox.get("/me/media")).json()["data"][0]["id"]


async def test_me_has_both_ids(sandbox):
    fields = "id,user_id,username,name,account_type,profile_picture_url,followers_count,media_count"
    me = (await sandbox.get("/me", fields=fields)).json()["data"][0]
    account = (await sandbox.driver.accounts())[0]
    assert (me["id"], me["user_id"]) == (account.app_scoped_id, account.id)
    assert (me["username"], me["name"], me["media_count"]) == ("nord", "Atelier Nord", 1)
    assert all(isinstance(me[name], str) and len(me[name]) == 17 for name in ("id", "user_id"))
    assert (await sandbox.http.get(me["profile_picture_url"])).headers["content-type"] == (
        "image/png"
    )


async def test_the_account_answers_to_all_its_names(sandbox):
    account = (await sandbox.driver.accounts())[0]
    for name in ("me", account.id, account.app_scoped_id):
        assert (await sandbox.get(f"/{name}/media")).json()["data"]


async def test_media_and_its_picture(sandbox):
    media = (
        await sandbox.get(
            f"/{await media_id(sandbox)}",
            fields="id,caption,media_type,media_product_type,media_url,permalink,timestamp,"
            "username,like_count,comments_count,shortcode,is_comment_enabled",
        )
    ).json()
    assert (media["caption"], media["like_count"], media["media_type"]) == (
        "The mint dress",
        12,
        "IMAGE",
    )
    assert media["timestamp"].endswith("+0000")
    assert media["shortcode"] in media["permalink"]
    assert (await sandbox.http.get(media["media_url"])).content == picture()


async def test_media_pages(sandbox):
    for index in range(5):
        await sandbox.driver.create_post("nord", picture(), key=f"p{index}")
    first = (await sandbox.get("/me/media", limit=4)).json()
    rest = (
        await sandbox.get("/me/media", limit=4, after=first["paging"]["cursors"]["after"])
    ).json()
    assert (len(first["data"]), len(rest["data"])) == (4, 2)


@pytest.mark.parametrize("path", ["/123", "/123/media", "/123/comments", "/me/nothing"])
async def test_what_is_not_there(sandbox, path):
    answer = await sandbox.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
    assert answer.json()["error"]["error_subcode"] == 33


async def test_old_versions_are_refused(sandbox):
    answer = await sandbox.http.get("/v20.0/me", params={"access_token": sandbox.token})
    assert answer.json()["error"]["code"] == 2635
    assert (await sandbox.http.get("/v25.0/me", params={"access_token": sandbox.token})).is_success


async def test_error_shape(sandbox):
    error = (await sandbox.get("/me", fields="nonsense")).json()["error"]
    assert set(error) == {"message", "type", "code", "is_transient", "fbtrace_id"}


async def test_a_body_that_is_no_json_object(sandbox):
    headers = {"Authorization": f"Bearer {sandbox.token}", "Content-Type": "application/json"}
    for body in (b"{", b"[1]"):
        answer = await sandbox.http.post("/v26.0/me/messages", content=body, headers=headers)
        assert answer.json()["error"]["code"] == 100


async def test_profile_needs_consent_and_a_comment_is_none(sandbox):
    post = await media_id(sandbox)
    await sandbox.driver.comment("ana", post, "lovely")
    thread = await sandbox.driver.thread("ana", "nord")
    assert thread.igsid != thread.commenter_id
    for person in (thread.igsid, thread.commenter_id):
        refused = await sandbox.get(f"/{person}", fields="username")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, 230)
    await sandbox.driver.write("ana", "nord", "hello")
    fields = "name,username,profile_pic,follower_count,is_user_follow_business"
    shown = (await sandbox.get(f"/{thread.igsid}", fields=fields)).json()
    assert (shown["name"], shown["username"], shown["is_user_follow_business"]) == (
        "Ana Ruiz",
        "ana",
        False,
    )
    assert (await sandbox.http.get(shown["profile_pic"])).is_success


async def test_comments_and_replies(sandbox):
    post = await media_id(sandbox)
    comment = await sandbox.driver.comment("ana", post, "size M?")
    reply = (await sandbox.post(f"/{comment}/replies", message="Yes, M is there")).json()["id"]
    listed = (
        await sandbox.get(f"/{post}/comments", fields="id,text,username,from,replies")
    ).json()["data"]
    assert [(one["id"], one["username"]) for one in listed] == [(comment, "ana")]
    assert listed[0]["replies"]["data"] == [{"id": reply, "text": "Yes, M is there"}]
    replies = (await sandbox.get(f"/{comment}/replies", fields="text,username")).json()["data"]
    assert [(one["text"], one["username"]) for one in replies] == [("Yes, M is there", "nord")]
    shown = await sandbox.driver.comments(post)
    assert [(one["from"], one["by_brand"]) for one in shown] == [("ana", False), ("nord", True)]


async def test_a_reply_to_a_reply_hangs_under_the_top_comment(sandbox):
    post = await media_id(sandbox)
    top = await sandbox.driver.comment("ana", post, "one")
    under = await sandbox.driver.comment("tom", post, "two", parent=top)
    await sandbox.post(f"/{under}/replies", message="three")
    assert [one["parent"] for one in await sandbox.driver.comments(post)] == [None, top, top]


async def test_fields_on_a_created_comment_answer_an_error_though_it_exists(sandbox):
    post = await media_id(sandbox)
    comment = await sandbox.driver.comment("ana", post, "hm")
    answer = await sandbox.post(f"/{comment}/replies", message="oh", fields="id,text")
    error = answer.json()["error"]
    assert (error["code"], error["error_subcode"]) == (20, 1772107)
    assert [one["text"] for one in await sandbox.driver.comments(post)] == ["hm", "oh"]


async def test_hiding_deleting_and_closing_comments(sandbox):
    post = await media_id(sandbox)
    comment = await sandbox.driver.comment("ana", post, "spam")
    assert (await sandbox.post(f"/{comment}", hide="true")).json() == {"success": True}
    assert (await sandbox.post(f"/{comment}/replies", message="?")).status_code == 400
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    gone = await sandbox.http.delete(f"/v26.0/{comment}", headers=headers)
    assert gone.json() == {"success": True}
    assert await sandbox.driver.comments(post) == []
    assert (await sandbox.post(f"/{post}", comment_enabled="false")).is_success
    closed = await sandbox.http.post(
        "/sandbox/api/shoppers/ana/comments", json={"post": post, "text": "more"}
    )
    assert closed.status_code == 409


async def test_subscriptions_are_listed_and_removed(sandbox):
    listed = (await sandbox.get("/me/subscribed_apps")).json()["data"][0]
    assert (listed["id"], listed["subscribed_fields"]) == ("app-1", ["comments", "messages"])
    refused = await sandbox.post("/me/subscribed_apps", subscribed_fields="likes")
    assert refused.json()["error"]["code"] == 100
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    await sandbox.http.delete("/v26.0/me/subscribed_apps", headers=headers)
    assert (await sandbox.get("/me/subscribed_apps")).json() == {"data": []}
    await sandbox.driver.write("ana", "nord", "anybody?")
    assert await sandbox.driver.wait_until_delivered()
    assert sandbox.receiver.posts == []


async def test_conversations_and_only_the_newest_twenty_messages(sandbox):
    sent = [await sandbox.driver.write("ana", "nord", f"line {index}") for index in range(22)]
    thread = await sandbox.driver.thread("ana", "nord")
    listed = (
        await sandbox.get("/me/conversations", platform="instagram", user_id=thread.igsid)
    ).json()["data"]
    assert [one["id"] for one in listed] == [thread.id]
    inside = (await sandbox.get(f"/{thread.id}", fields="messages.limit(30)")).json()
    assert inside["messages"]["data"][0]["id"] == sent[-1].mid
    await asyncio.sleep(1)  # two reads a second
    newest = (await sandbox.get(f"/{sent[-1].mid}", fields="message,from,to")).json()
    assert (newest["message"], newest["from"]["id"]) == ("line 21", thread.igsid)
    old = await sandbox.get(f"/{sent[0].mid}", fields="message")
    assert old.json()["error"]["code"] == 9000001


async def test_insights_count_what_happened(sandbox):
    post = await media_id(sandbox)
    await sandbox.http.post("/sandbox/api/shoppers/ana/likes", json={"post": post})
    await sandbox.driver.comment("ana", post, "wow")
    found = (await sandbox.get(f"/{post}/insights", metric="likes,comments")).json()["data"]
    assert [(one["name"], one["values"][0]["value"]) for one in found] == [
        ("likes", 13),
        ("comments", 1),
    ]
    account = (
        await sandbox.get("/me/insights", metric="likes", metric_type="total_value", period="day")
    ).json()
    assert account["data"][0]["total_value"]["value"] == 13
    gone = await sandbox.get(f"/{post}/insights", metric="impressions")
    assert gone.json()["error"]["code"] == 100


async def test_usage_headers(sandbox):
    answer = await sandbox.get("/me")
    app = json.loads(answer.headers["x-app-usage"])
    business = json.loads(answer.headers["x-business-use-case-usage"])
    assert set(app) == {"call_count", "total_time", "total_cputime"}
    account = (await sandbox.driver.accounts())[0]
    assert business[account.id][0]["type"] == "instagram"
    assert business[account.id][0]["estimated_time_to_regain_access"] == 0
    await sandbox.driver.faults(usage_percent=95)
    assert json.loads((await sandbox.get("/me")).headers["x-app-usage"])["call_count"] == 95


@pytest.mark.parametrize(
    ("limits", "code", "subcode"),
    [
        (Limits(app_users=0), 4, None),
        (Limits(impressions_per_day=0), 80002, None),
        (Limits(conversation_reads_per_second=0), 613, None),
        (Limits(sends_per_second=0), 613, 2534040),
        (Limits(private_replies_per_hour=0), 613, 2534013),
    ],
)
async def test_natural_limits(tmp_path, receiver, limits, code, subcode):
    async with sandbox_at(tmp_path, receiver) as calm:
        await furnish(calm)
        token, post = calm.token, await media_id(calm)
        comment = await calm.driver.comment("ana", post, "hi")
        await calm.driver.write("ana", "nord", "hi")
        thread = await calm.driver.thread("ana", "nord")
    async with sandbox_at(tmp_path, receiver, limits=limits) as tight:
        tight.token = token
        if subcode == 2534040:
            answer = await tight.send({"id": thread.igsid}, message={"text": "x"})
        elif subcode == 2534013:
            answer = await tight.send({"comment_id": comment}, message={"text": "x"})
        elif code == 613:
            answer = await tight.get("/me/conversations")
        else:
            answer = await tight.get("/me")
        error = answer.json()["error"]
        assert (error["code"], error.get("error_subcode")) == (code, subcode)
