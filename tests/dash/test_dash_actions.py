"""What a brand does on its pages, with scripts and without, and who may do it."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests.dash.conftest import PICTURE, SYSTEM, new_garment

from selify import notifications
from selify.tryon import texts
from selify.tryon.pages import bot_texts

LONG = "ä" * 600  # 1,200 bytes


async def state_of(brand) -> dict:
    rows = await brand.site.run(
        "SELECT conversation_state FROM public.social_conversations WHERE id = $1",
        brand.conversation_id,
    )
    return rows[0]["conversation_state"]


async def settings_of(brand) -> dict:
    rows = await brand.site.run(
        "SELECT settings FROM public.connected_social_accounts WHERE id = $1", brand.account_id
    )
    return rows[0]["settings"]


@pytest.mark.parametrize("script", [True, False])
async def test_taking_over_and_handing_back(brand, script: bool) -> None:
    path = brand.at(f"/conversations/{brand.conversation_id}")
    person = await brand.member("member")
    taken = await person.post(path.replace("?", "/take-over?"), script=script)
    assert taken.status_code == (200 if script else 303)
    assert (await state_of(brand))["handler"] == "human"
    assert "Hand back to the bot" in await person.look(path)
    back = await person.post(path.replace("?", "/hand-back?"), script=script)
    assert back.status_code == taken.status_code
    assert (await state_of(brand))["handler"] == "bot"
    if script:
        assert 'hx-swap-oob="beforeend:#toasts"' in back.text
        # Whoever acts stays with this shopper: the inbox is one of this conversation from now on.
        assert taken.headers["hx-push-url"] == f"/conversations/{brand.conversation_id}"
        assert taken.text.count(f"conversation={brand.conversation_id}") == 2
    else:
        assert "The bot answers in this conversation again." in await person.look(
            back.headers["location"]
        )
    await person.browser.aclose()


async def test_binding_a_garment_and_its_words(brand) -> None:
    post = f"/posts/{brand.post_id}"
    bound = await brand.owner.post(
        brand.at(f"{post}/garment"),
        script=True,
        garment=str(brand.garment_id),
        keywords="forest, I want it",
    )
    assert "Try-on is on" in bound.text
    chooser = await brand.owner.look(f"{post}/garment")
    assert 'value="forest, I want it"' in chooser  # the next change starts from here
    explained = await brand.owner.look(f"{post}/keywords")
    assert "forest" in explained
    assert "this post’s own words + our own words" in explained
    await brand.owner.post(
        brand.at(f"{post}/garment"),
        garment=str(brand.garment_id),
        keywords="forest",
        only_these="true",
    )
    assert "<strong>this post’s own words</strong>" in await brand.owner.look(f"{post}/keywords")
    gone = await brand.owner.post(brand.at(f"{post}/garment/remove"), script=True)
    assert "Try-on is on" not in gone.text


async def test_a_garment_nobody_is_sure_of_is_confirmed_first(brand) -> None:
    from selify.commerce import add_garment

    async with brand.site.database.tx(SYSTEM) as tx:
        unsure = await add_garment(
            tx, brand.id, new_garment("Mystery", sure=0.3), created_by=brand.owner.id
        )
    bind = brand.at(f"/posts/{brand.post_id}/garment")
    refused = await brand.owner.post(bind, script=True, garment=str(unsure.id))
    assert refused.status_code == 422
    assert "Confirm its category" in refused.text
    assert "We are not sure: what is it?" in await brand.owner.look("/wardrobe")
    said = await brand.owner.post(
        brand.at(f"/wardrobe/{unsure.id}/category"), script=True, category="dresses"
    )
    assert said.status_code == 200
    assert (await brand.owner.post(bind, script=True, garment=str(unsure.id))).status_code == 200


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("lower_body", {"sleeve_type": None, "neckline": None, "length": None, "visible": "lower"}),
        (
            "upper_body",
            {"sleeve_type": "short", "neckline": "crew", "length": None, "visible": "upper"},
        ),
        (
            "dresses",
            {"sleeve_type": "short", "neckline": "crew", "length": "midi", "visible": "full"},
        ),
    ],
)
async def test_a_corrected_category_keeps_nothing_that_was_read_as_another(
    brand, said, kept
) -> None:
    from selify.commerce import add_garment

    guess = new_garment("Trousers", sure=0.5)
    wrong = {
        "leffa_category": "dresses",
        "sleeve_type": "short",
        "neckline": "crew",
        "length": "midi",
        "fit": "relaxed",
        "recommended_body_visible": "full",
    }
    guess = replace(guess, leffa=guess.leffa.model_copy(update=wrong))
    async with brand.site.database.tx(SYSTEM) as tx:
        garment = await add_garment(tx, brand.id, guess, created_by=brand.owner.id)
    answer = await brand.owner.post(
        brand.at(f"/wardrobe/{garment.id}/category"), script=True, category=said
    )
    assert answer.status_code == 200
    rows = await brand.site.run(
        "SELECT leffa_metadata FROM public.wardrobe_garments WHERE id = $1", garment.id
    )
    leffa = rows[0]["leffa_metadata"]
    leffa["visible"] = leffa["recommended_body_visible"]
    assert {key: leffa[key] for key in kept} == kept
    assert (leffa["leffa_category"], leffa["category_confidence"]) == (said, 1.0)
    assert leffa["fit"] == "relaxed"


@pytest.mark.slow
async def test_uploading_a_garment(brand) -> None:
    answer = await brand.owner.browser.post(
        brand.at("/wardrobe"),
        data={"name": "Forest tee", "price": "39,90", "stock": "12"},
        files={"picture": ("tee.png", PICTURE, "image/png")},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200, answer.text
    assert "Forest tee" in answer.text
    assert "€39.90" in answer.text
    assert "12 in stock" in answer.text
    row = (
        await brand.site.run(
            "SELECT leffa_metadata FROM public.wardrobe_garments WHERE name = 'Forest tee'"
        )
    )[0]
    assert row["leffa_metadata"]["leffa_category"] == "upper_body"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Choose a picture"),
        ({"price": "cheap"}, "A price looks like"),
        ({"stock": "-1"}, "whole number"),
        ({"url": "javascript:alert(1)"}, "begins with https"),
    ],
)
async def test_uploads_that_cannot_be(brand, form: dict, words: str) -> None:
    answer = await brand.owner.post(brand.at("/wardrobe"), script=True, **form, name="x")
    assert answer.status_code == 422
    assert words in answer.text


async def test_a_file_that_is_no_picture(brand) -> None:
    answer = await brand.owner.browser.post(
        brand.at("/wardrobe"),
        files={"picture": ("tee.png", b"not a picture", "image/png")},
        headers={"HX-Request": "true"},
    )
    assert 400 <= answer.status_code < 500
    assert 'role="alert"' in answer.text


async def product_of(brand, garment_id: UUID | None = None) -> dict:
    rows = await brand.site.run(
        "SELECT name, metadata FROM public.wardrobe_garments WHERE id = $1",
        garment_id or brand.garment_id,
    )
    return {"name": rows[0]["name"], **rows[0]["metadata"].get("product", {})}


@pytest.mark.parametrize("script", [True, False])
async def test_a_garment_is_corrected(brand, script: bool) -> None:
    await brand.site.run(
        "UPDATE public.wardrobe_garments SET metadata = $2 WHERE id = $1",
        brand.garment_id,
        {"shopify": {"kept": True}, "product": {"price_cents": 1, "stock": 5}},
    )
    path = brand.at(f"/wardrobe/{brand.garment_id}")
    form = {"name": " Forest tee ", "price": "39,90", "currency": "GBP", "url": "https://x.example"}
    saved = await brand.owner.post(path, script=script, **form)
    assert saved.status_code == (200 if script else 303)
    shown = await brand.owner.look("/wardrobe")
    assert "Forest tee" in shown
    assert "£39.90" in shown
    assert 'value="39.90"' in shown  # the next correction starts from here
    assert await product_of(brand) == {
        "name": "Forest tee",
        "price_cents": 3990,
        "currency": "GBP",
        "url": "https://x.example",
    }  # the stock was emptied: it is not known any more
    rows = await brand.site.run(
        "SELECT metadata FROM public.wardrobe_garments WHERE id = $1", brand.garment_id
    )
    assert rows[0]["metadata"]["shopify"] == {"kept": True}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": " "}, "needs a name"),
        ({"name": "x", "price": "cheap"}, "A price looks like"),
        ({"name": "x", "url": "javascript:alert(1)"}, "begins with https"),
    ],
)
async def test_corrections_that_cannot_be(brand, form: dict, words: str) -> None:
    answer = await brand.owner.post(brand.at(f"/wardrobe/{brand.garment_id}"), script=True, **form)
    assert answer.status_code == 422
    assert words in answer.text
    assert await product_of(brand) == {"name": "Tee of Nordlicht"}


async def test_a_garment_is_put_away_and_comes_back(brand) -> None:
    path = f"/wardrobe/{brand.garment_id}"
    gone = await brand.owner.post(brand.at(f"{path}/archive"), script=True)
    assert "Tee of Nordlicht" not in gone.text
    assert "Tee of Nordlicht" not in await brand.owner.look("/posts")
    assert "Tee of Nordlicht" in await brand.owner.look("/wardrobe?archived=true")
    back = await brand.owner.post(brand.at(f"{path}/restore"))
    assert "Tee of Nordlicht" in await brand.owner.look(back.headers["location"])
    assert "Archived" not in await brand.owner.look("/wardrobe")  # nothing there to see


async def test_a_garment_is_corrected_through_the_api(brand, rival) -> None:
    garments = f"/api/v1/workspaces/{brand.id}/garments"
    http = brand.owner.browser
    known = {"name": "Tee", "price_cents": 100, "stock": 3, "currency": "EUR"}
    first = await http.patch(f"{garments}/{brand.garment_id}", json=known)
    assert first.status_code == 200, first.text
    second = await http.patch(f"{garments}/{brand.garment_id}", json={"stock": None})
    assert second.json()["product"] == {"price_cents": 100, "currency": "EUR"}
    assert second.json()["name"] == "Tee"  # what is left out stays
    away = await http.patch(f"{garments}/{brand.garment_id}", json={"archived": True})
    assert away.json()["archived"]
    assert (await http.get(garments)).json() == []
    assert len((await http.get(garments, params={"archived": True})).json()) == 1
    for wrong in ({"name": ""}, {"price_cents": -1}, {"url": "javascript:x"}, {"colour": "red"}):
        refused = await http.patch(f"{garments}/{brand.garment_id}", json=wrong)
        assert refused.status_code == 422, wrong
    for workspace in (brand.id, rival.id):
        theirs = f"/api/v1/workspaces/{workspace}/garments/{rival.garment_id}"
        assert (await http.patch(theirs, json={"name": "mine"})).status_code == 404


async def test_a_post_shows_our_own_copy_of_its_picture(brand) -> None:
    path = f"/posts/{brand.post_id}/picture"
    assert (await brand.owner.browser.get(path)).status_code == 404  # it never had one
    key = f"workspaces/{brand.id}/posts/{brand.post_id}.jpg"
    await brand.site.storage.put(key, b"a picture", content_type="image/jpeg")
    shown = await brand.owner.browser.get(path, follow_redirects=True)
    assert shown.content == b"a picture"
    assert shown.headers["content-type"] == "image/jpeg"


async def test_a_posts_picture_leads_nobody_into_our_network(brand) -> None:
    await brand.site.run(
        "UPDATE public.social_posts SET thumbnail_url = $2 WHERE id = $1",
        brand.post_id,
        f"{brand.site.url}/healthz",
    )
    answer = await brand.owner.browser.get(f"/posts/{brand.post_id}/picture")
    assert answer.status_code == 404
    assert "cannot be had any more" in answer.text


async def test_the_bots_settings(brand) -> None:
    path = brand.at(f"/accounts/{brand.account_id}/settings")
    saved = await brand.owner.post(path, script=True, language="de", trigger_keywords="mag ich, 👗")
    assert saved.status_code == 200
    assert await settings_of(brand) == {
        "tryon_enabled": False,
        "language": "de",
        "trigger_keywords": ["mag ich", "👗"],
    }
    shown = await brand.owner.look("/accounts")
    assert 'value="mag ich, 👗"' in shown
    refused = await brand.owner.post(path, script=True, language="tlh")
    assert refused.status_code == 422


async def test_the_bots_texts(brand) -> None:
    path = f"/accounts/{brand.account_id}/texts"
    words = {"language": "en", "key": "feedback", "template": "So, {brand} and you?"}
    seen = await brand.owner.post(brand.at(f"{path}/preview"), script=True, **words)
    assert "So, Nordlicht and you?" in seen.text
    assert "So, " not in str(await settings_of(brand))  # looking changes nothing
    saved = await brand.owner.post(brand.at(path), script=True, **words)
    assert "your words" in saved.text
    assert (await settings_of(brand))["message_templates"] == {
        "en": {"feedback": "So, {brand} and you?"}
    }
    await brand.owner.post(brand.at(path), **words, reset="true")
    assert (await settings_of(brand))["message_templates"] == {"en": {}}


@pytest.mark.parametrize(
    ("keyword", "says"),
    [("a", "would fire on “I have a question”"), ("😍", "so pretty 😍"), ("!!", "never")],
)
async def test_a_keyword_that_would_not_work_is_refused_everywhere(
    brand, keyword: str, says: str
) -> None:
    path = brand.at(f"/accounts/{brand.account_id}/settings")
    page = await brand.owner.post(
        path, script=True, language="en", trigger_keywords=f"glow, {keyword}"
    )
    assert (page.status_code, says in page.text) == (422, True)
    bound = await brand.owner.post(
        brand.at(f"/posts/{brand.post_id}/garment"),
        script=True,
        garment=str(brand.garment_id),
        keywords=keyword,
    )
    assert (bound.status_code, says in bound.text) == (422, True)
    assert "trigger_keywords" not in await settings_of(brand)
    api = f"/api/v1/workspaces/{brand.id}"
    said = {"tryon_enabled": True, "language": "en", "keywords": ["glow", keyword]}
    told = await brand.owner.browser.put(f"{api}/accounts/{brand.account_id}/settings", json=said)
    assert told.status_code == 422
    assert told.json()["fields"][0]["field"] == "body.keywords.1"
    assert says in told.json()["fields"][0]["message"]
    said = {"garment_id": str(brand.garment_id), "keywords": [keyword]}
    told = await brand.owner.browser.put(f"{api}/posts/{brand.post_id}/garment", json=said)
    assert (told.status_code, told.json()["code"]) == (422, "keyword_unfit")


@pytest.mark.parametrize(
    ("key", "text", "where"),
    [
        ("feedback", "So?\nTell {foo}", "Line 2, character 6"),
        ("greeting", "Hi, Anna here!", "Line 1, character 15"),
        ("greeting", "I'm a bot.", "name the word STOP"),
    ],
)
async def test_a_text_that_must_not_be_said_is_refused_with_its_place(
    brand, key: str, text: str, where: str
) -> None:
    path = f"/accounts/{brand.account_id}/texts"
    words = {"language": "en", "key": key, "template": text}
    seen = await brand.owner.post(brand.at(f"{path}/preview"), script=True, **words)
    assert where in seen.text
    assert ("<mark>{foo}</mark>" in seen.text) == ("{foo}" in text)
    saved = await brand.owner.post(brand.at(path), script=True, **words)
    assert (saved.status_code, where in saved.text) == (422, True)
    api = f"/api/v1/workspaces/{brand.id}{path}"
    told = await brand.owner.browser.put(f"{api}/{key}", json={"language": "en", "text": text})
    assert (told.status_code, told.json()["code"]) == (422, "text_unfit")
    (first, *_) = told.json()["fields"]
    assert first["field"] == "body.text"
    lines = text.split("\n")[: first["line"]]
    assert sum(len(line) + 1 for line in lines[:-1]) + first["column"] - 1 == first["position"]
    assert "message_templates" not in await settings_of(brand)


async def test_the_bots_settings_and_texts_through_the_api(brand) -> None:
    api = f"/api/v1/workspaces/{brand.id}/accounts/{brand.account_id}"
    browser = brand.owner.browser
    said = {"tryon_enabled": True, "language": "de", "keywords": ["glow", "👗"]}
    assert (await browser.put(f"{api}/settings", json=said)).status_code == 204
    text = {"language": "de", "text": "Und, {brand}?"}
    assert (await browser.put(f"{api}/texts/feedback", json=text)).status_code == 204
    kept = await settings_of(brand)
    assert kept["trigger_keywords"] == ["glow", "👗"]
    assert kept["message_templates"] == {"de": {"feedback": "Und, {brand}?"}}
    listed = (await browser.get(f"{api}/texts", params={"language": "de"})).json()
    own = {one["key"]: one["own"] for one in listed if one["own"]}
    assert own == {"feedback": "Und, {brand}?"}
    nothing = {"language": "de", "text": ""}
    assert (await browser.put(f"{api}/texts/feedback", json=nothing)).status_code == 204
    assert (await settings_of(brand))["message_templates"] == {"de": {}}
    assert (await browser.put(f"{api}/texts/nonsense", json=text)).status_code == 404
    assert (
        await browser.put(f"{api}/settings", json={**said, "language": "tlh"})
    ).status_code == 422


async def test_words_that_were_kept_before_they_were_looked_at_are_marked(brand) -> None:
    await brand.site.run(
        "UPDATE public.connected_social_accounts SET settings = settings || $2 WHERE id = $1",
        brand.account_id,
        {"message_templates": {"en": {"greeting": "Hi {foo}"}}},
    )
    shown = await brand.owner.look(f"/accounts/{brand.account_id}/texts")
    assert "<mark>{foo}</mark>" in shown
    assert "shoppers read our words" in shown


@pytest.mark.parametrize(
    ("key", "template"), [("feedback", LONG), ("button_like", "far too long for a button")]
)
async def test_texts_that_could_not_be_sent(brand, key: str, template: str) -> None:
    path = f"/accounts/{brand.account_id}/texts"
    words = {"language": "en", "key": key, "template": template}
    seen = await brand.owner.post(brand.at(f"{path}/preview"), script=True, **words)
    assert "too long to be sent, by about" in seen.text
    assert "bytes" not in seen.text
    assert (await brand.owner.post(brand.at(path), script=True, **words)).status_code == 422
    assert "message_templates" not in await settings_of(brand)


async def test_every_text_has_a_name_and_says_what_is_filled_in(brand) -> None:
    shown = await brand.owner.look(f"/accounts/{brand.account_id}/texts")
    for language in texts.languages():
        for key, text in texts.catalogue(language).items():
            name = key.rpartition(".")[2]
            assert name in bot_texts.TITLES or name.startswith(("button_", "language")), key
            for brace in re.findall(r"{(\w+)}", text):
                assert brace in bot_texts.BRACES, (key, brace)
    assert "Filled in: <code>{brand}</code> your brand’s name" in shown


async def test_our_own_texts_all_fit(brand) -> None:
    for language in ("en", "de"):
        shown = await brand.owner.look(f"/accounts/{brand.account_id}/texts?language={language}")
        assert "Greeting" in shown
        assert "too long to be sent" not in shown


async def test_members_look_admins_change(brand) -> None:
    member, admin = await brand.member("member"), await brand.member("admin")
    actions = {
        "settings": {"language": "en"},
        "texts": {"language": "en", "key": "feedback", "template": "?"},
        "disconnect": {},
    }
    for action, form in actions.items():
        path = brand.at(f"/accounts/{brand.account_id}/{action}")
        assert (await member.post(path, **form)).status_code == 403, action
        assert (await admin.post(path, **form)).status_code == 303, action
    shown = await member.look("/accounts")
    assert "ask an owner or admin" in shown
    assert "Connect Instagram" not in shown
    assert "Disconnected" in await admin.look("/accounts")
    await member.browser.aclose()
    await admin.browser.aclose()


async def test_every_charge_explains_itself(brand) -> None:
    charge = await brand.charge()
    assert str(charge) in await brand.owner.look("/billing")
    part = await brand.owner.browser.get(
        brand.at(f"/billing/charges/{charge}"), headers={"HX-Request": "true"}
    )
    assert "came from the week&#39;s allowance" in part.text
    assert "<html" not in part.text
    assert "<html" in await brand.owner.look(f"/billing/charges/{charge}")


async def test_charges_come_in_pages_without_gaps(brand) -> None:
    made = {str(await brand.charge()) for _ in range(26)}
    first = await brand.owner.look("/billing")
    link = (
        first.split('class="btn" data-variant="outline" href="')[1]
        .split('"')[0]
        .replace("&amp;", "&")
    )
    second = await brand.owner.look(link)
    on_first = {number for number in made if f"/charges/{number}" in first}
    on_second = {number for number in made if f"/charges/{number}" in second}
    assert len(on_first) == 25
    assert on_first | on_second == made
    assert not on_first & on_second


async def test_the_bell(brand) -> None:
    async with brand.site.database.tx(SYSTEM) as tx:
        for number in range(2):
            await notifications.notify(
                tx,
                workspace_id=brand.id,
                kind="human_wanted",
                title=f"Somebody asks, {number}",
                body="",
                action_url=("/wardrobe", "https://evil.example/")[number],
                dedupe_key=str(number),
                now=datetime.now(UTC),
            )
    assert "Notifications: 2 unread" in await brand.owner.look("/")
    rows = await brand.site.run(
        "SELECT id, action_url FROM public.notifications WHERE workspace_id = $1", brand.id
    )
    goals = {}
    for row in rows:
        answer = await brand.owner.post(brand.at(f"/notifications/{row['id']}/open"))
        goals[row["action_url"]] = answer.headers["location"].split("?")[0]
    assert goals == {"/wardrobe": "/wardrobe", "https://evil.example/": "/"}
    assert "Notifications: none unread" in await brand.owner.look("/")


async def test_only_ones_own_notices_are_opened(brand, rival) -> None:
    async with rival.site.database.tx(SYSTEM) as tx:
        await notifications.notify(
            tx,
            workspace_id=rival.id,
            kind="x",
            title="Secret",
            body="",
            dedupe_key="s",
            now=datetime.now(UTC),
        )
    notice: UUID = (
        await rival.site.run(
            "SELECT id FROM public.notifications WHERE workspace_id = $1", rival.id
        )
    )[0]["id"]
    answer = await brand.owner.post(brand.at(f"/notifications/{notice}/open"))
    assert answer.status_code == 404
    assert "Secret" not in await brand.owner.look("/notifications")


@pytest.mark.slow
async def test_one_picture_that_fails_keeps_no_other_out(brand) -> None:
    answer = await brand.owner.browser.post(
        brand.at("/wardrobe"),
        files=[
            ("picture", ("good.png", PICTURE, "image/png")),
            ("picture", ("bad.png", b"not a picture", "image/png")),
        ],
    )
    assert answer.status_code == 422
    assert "“bad.png”" in answer.text
    assert "The others are in the wardrobe." in answer.text
    assert "good" in await brand.owner.look("/wardrobe")


async def test_a_person_in_the_picture_is_asked_about_and_may_stay(brand) -> None:
    from selify.commerce import SHOWS_PERSON

    await brand.site.run(
        "UPDATE public.wardrobe_garments SET leffa_metadata = leffa_metadata"
        " || jsonb_build_object('warnings', jsonb_build_array($2::text), 'category_confidence', 0.4)"
        " WHERE id = $1",
        brand.garment_id,
        SHOWS_PERSON,
    )
    assert "looks like a photo of a person" in await brand.owner.look("/wardrobe")
    bind = brand.at(f"/posts/{brand.post_id}/garment")
    refused = await brand.owner.post(bind, script=True, garment=str(brand.garment_id))
    assert refused.status_code == 422
    category = brand.at(f"/wardrobe/{brand.garment_id}/category")
    kept = await brand.owner.post(category, script=True, category="upper_body")
    assert "looks like a photo of a person" not in kept.text
    assert (await brand.owner.post(bind, script=True, garment=str(brand.garment_id))).is_success


async def test_the_words_of_a_post_are_explained_in_an_owners_words(brand) -> None:
    typed = {"garment": str(brand.garment_id), "keywords": "glow"}
    await brand.owner.post(brand.at(f"/posts/{brand.post_id}/garment"), **typed)
    shown = await brand.owner.look(f"/posts/{brand.post_id}/keywords")
    assert "this post’s own words" in shown
    for inner in ("garment binding", "Workspace", "<strong>default"):
        assert inner not in shown
