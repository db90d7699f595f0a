"""Whose language a page and the API speak."""

from datetime import UTC, datetime

import httpx
import pytest
from tests.dash.conftest import PASSWORD, Brand, Site

from selify.core.database import Actor
from selify.core.language import _
from selify.notifications import notify
from selify.notifications.outbox import notify_workspace
from selify.notifications.types import Notice

GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}


def language_of(page: httpx.Response) -> str:
    said = page.headers["content-language"]
    assert f'<html lang="{said}">' in page.text
    assert "Accept-Language" in page.headers["vary"]
    return said


@pytest.mark.parametrize(("asked", "spoken"), [("de", "de"), ("fr, de;q=0.5", "de"), ("fr", "en")])
async def test_a_visitor_reads_in_the_browsers_language(
    site: Site, asked: str, spoken: str
) -> None:
    async with site.visitor(**{"Accept-Language": asked}) as visitor:
        assert language_of(await visitor.get("/sign-in")) == spoken


async def test_the_switch_counts_more_than_the_browser(site: Site) -> None:
    async with site.visitor(Origin=site.url, **GERMAN) as visitor:
        visitor.headers["referer"] = f"{site.url}/sign-up?from=here"
        chosen = await visitor.post("/language", data={"language": "en"})
        assert chosen.headers["location"] == "/sign-up?from=here"
        assert language_of(await visitor.get("/sign-in")) == "en"


@pytest.mark.parametrize("language", ["", "fr", "de-AT", "../de", "de\x00"])
async def test_a_language_we_do_not_speak_is_not_chosen(site: Site, language: str) -> None:
    async with site.visitor(Origin=site.url) as visitor:
        refused = await visitor.post("/language", data={"language": language})
        assert refused.status_code == 422
        assert language_of(await visitor.get("/sign-in")) == "en"


async def test_a_cookie_that_says_nonsense_says_nothing(site: Site) -> None:
    async with site.visitor(Cookie="selify_language=xx; selify_language", **GERMAN) as visitor:
        assert language_of(await visitor.get("/sign-in")) == "de"


async def test_another_website_cannot_switch(site: Site) -> None:
    async with site.visitor(Origin="https://elsewhere.example") as visitor:
        assert (await visitor.post("/language", data={"language": "de"})).status_code == 403


async def test_a_person_finds_their_language_on_every_browser(brand: Brand) -> None:
    browser = brand.owner.browser
    assert language_of(await browser.get(brand.at("/posts"), headers=GERMAN)) == "en"
    await brand.owner.post("/language", language="de")
    browser.cookies.delete("selify_language")
    assert language_of(await browser.get(brand.at("/posts"))) == "de"
    assert language_of(await browser.get("/nowhere", headers={"Accept-Language": "fr"})) == "en"


async def test_who_signs_up_in_german_goes_on_in_german(site: Site) -> None:
    form = {"email": "anna.neu@people.example", "password": PASSWORD, "full_name": "Anna"}
    async with site.visitor(Origin=site.url, **GERMAN) as visitor:
        await visitor.post("/sign-up", data=form)
        visitor.headers["Accept-Language"] = "en"
        await visitor.post("/sign-in", data=form)
        assert language_of(await visitor.get("/brands/new")) == "de"


async def test_the_api_goes_by_what_the_program_asks_for(brand: Brand) -> None:
    await brand.owner.post("/language", language="de")
    path = f"/api/v1/workspaces/{brand.id}/garments/{brand.id}"
    english, german = [
        await brand.owner.browser.patch(path, json={"name": 7}, headers={"Accept-Language": asked})
        for asked in ("en", "de")
    ]
    assert english.headers["content-language"] == "en"
    assert german.headers["content-language"] == "de"
    assert "Accept-Language" in german.headers["vary"]
    said, gesagt = english.json(), german.json()
    stable = ("type", "status", "code")
    assert [said[name] for name in stable] == [gesagt[name] for name in stable]
    assert gesagt["detail"] != said["detail"]
    assert [item["field"] for item in said["fields"]] == [
        item["field"] for item in gesagt["fields"]
    ]


async def test_the_api_says_how_an_account_is_in_german(brand: Brand) -> None:
    path = f"/api/v1/workspaces/{brand.id}/accounts"
    found = (await brand.owner.browser.get(path, headers=GERMAN)).json()
    assert "Noch nicht bestätigt" in [finding["text"] for finding in found[0]["findings"]]


async def test_the_api_explains_keywords_in_german(brand: Brand) -> None:
    path = f"/api/v1/workspaces/{brand.id}/posts/{brand.post_id}/keywords"
    found = (await brand.owner.browser.get(path, headers=GERMAN)).json()
    assert found["rule"] == "default"
    assert found["explanation"].startswith("Es entscheidet: Voreinstellung. Es gelten: „tryon“ (")


async def test_how_far_a_deletion_is_can_be_read_in_german(brand: Brand) -> None:
    await brand.site.run(
        """
        INSERT INTO internal.deletion_requests
               (confirmation_code, platform, platform_user_id, state, requested_at, completed_at)
        VALUES ('00112233445566aa', 'instagram', '1', 'completed', '2026-05-04', '2026-05-04')
        """
    )
    async with brand.site.visitor() as visitor:
        path = "/webhooks/instagram/data-deletion/00112233445566aa"
        said = [(await visitor.get(path, headers=asked)).text for asked in ({}, GERMAN)]
    assert said == [
        "Your request of 2026-05-04 00:00 UTC to delete your data: completed.",
        "Ihre Anfrage vom 2026-05-04 00:00 UTC, Ihre Daten zu löschen: erledigt.",
    ]


async def test_who_lacks_a_permission_reads_in_german_which_and_whom_to_ask(brand: Brand) -> None:
    member = await brand.member("member")
    path = f"/api/v1/workspaces/{brand.id}/accounts/{brand.account_id}/settings"
    body = {"tryon_enabled": True, "language": "de"}
    refused = await member.browser.put(path, json=body, headers=GERMAN)
    await member.browser.aclose()
    said = refused.json()
    assert (refused.status_code, said["code"]) == (403, "role_too_low")
    assert said["detail"].startswith("Nur Inhaber und Verwalter von ")
    assert said["detail"].endswith(
        " dürfen den Bot ein- und ausschalten und festlegen, in welcher Sprache und auf welche Wörter"
        " er antwortet; Sie sind Mitglied."
    )
    assert said["hint"] == (
        "Fragen Sie einen Inhaber oder Verwalter. Die fehlende Berechtigung heißt tryon.bot.change."
    )


async def test_everybody_is_told_in_their_own_language(brand: Brand) -> None:
    admin = await brand.member("admin")
    await admin.post("/language", language="de")
    await admin.browser.aclose()
    async with brand.site.database.tx(Actor.system("test")) as tx:
        await notify_workspace(
            tx,
            workspace_id=brand.id,
            kind="message_failed",
            title=_("Something written to @%(name)s could not be handled", name="shop"),
            body=_("A shopper may be waiting for an answer. Please look into the app."),
            dedupe_key="told",
            now=datetime.now(UTC),
        )
        payload = await tx.fetch_value(
            "SELECT payload FROM internal.outbox WHERE workspace_id = $1 AND channel = 'notice'",
            brand.id,
        )
        notice = Notice.read(payload).model_dump(exclude={"version"})
        await notify(tx, workspace_id=brand.id, now=datetime.now(UTC), **notice)
    rows = await brand.site.run(
        "SELECT user_id, title FROM public.notifications WHERE workspace_id = $1", brand.id
    )
    titles = {row["user_id"]: row["title"] for row in rows}
    assert titles[brand.owner.id] == "Something written to @shop could not be handled"
    assert titles[admin.id].startswith("Etwas, das an @shop geschrieben wurde")
