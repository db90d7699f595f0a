"""Profiles: four columns for everyone, harmless ones for oneself."""

import asyncio
from uuid import uuid4

import pytest

from selify.auth import profile_endpoints
from selify.auth.profiles import PublicProfile
from selify.core.database import Actor

OWN = "/api/v1/auth/profile"
SAID = {
    "username": "mira.holm",
    "full_name": "Mira H. Holm",
    "avatar_url": "https://nordlicht.example/mira.png",
    "website": "https://nordlicht.example/me?x=1",
    "location": "Kiel",
    "language": "de",
    "timezone": "Europe/Berlin",
}


@pytest.fixture
def container(container):
    container.app.include_router(profile_endpoints.router)
    return container


async def test_one_says_of_oneself_what_is_harmless(container, browser, joined):
    me = (await joined(browser))["user"]
    changed = await browser.patch(OWN, json=SAID)
    assert changed.status_code == 200, changed.text
    wanted = {**SAID, "id": me["id"], "email": me["email"]}
    assert changed.json() == wanted == (await browser.get(OWN)).json()
    [row] = await container.run("SELECT timezone, preferences FROM public.profiles")
    assert (row["timezone"], row["preferences"]) == (None, {"timezone": "Europe/Berlin"})
    some = await browser.patch(OWN, json={"location": None, "timezone": "Asia/Tokyo"})
    assert some.json() == {**wanted, "location": None, "timezone": "Asia/Tokyo"}
    assert (await browser.patch(OWN, json={})).json() == some.json()
    none = await browser.patch(OWN, json={"timezone": None})
    assert none.json()["timezone"] is None


async def test_other_preferences_stay(container, browser, joined):
    await joined(browser)
    await container.run("""UPDATE public.profiles SET preferences = '{"theme": "dark"}'""")
    await browser.patch(OWN, json={"timezone": "UTC"})
    [row] = await container.run("SELECT preferences FROM public.profiles")
    assert row["preferences"] == {"theme": "dark", "timezone": "UTC"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "Mira"),
        ("username", ".mira"),
        ("username", "mira\n"),
        ("username", "m" * 31),
        ("username", "мира"),
        ("username", ""),
        ("full_name", ""),
        ("full_name", "nul\x00"),
        ("full_name", "x" * 121),
        ("avatar_url", "http://nordlicht.example/x.png"),
        ("avatar_url", "javascript:alert(1)"),
        ("website", "https://me:secret@nordlicht.example"),
        ("website", "https://nordlicht.example:99999999/"),
        ("website", "https://[::1"),
        ("website", 'https://nordlicht.example/"><script>'),
        ("website", "https://localhost/"),
        ("website", "https://x.example/" + "x" * 2000),
        ("location", "x" * 121),
        ("language", "xx"),
        ("timezone", "Europe/Nowhere"),
        ("timezone", "2026-01-01T00:00:00Z"),
        ("timezone", "+02:00"),
        ("email", "other@example.com"),
        ("id", "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"),
        ("status", "active"),
        ("affiliate_status", "affiliate"),
        ("affiliate_balance_cents", 100000),
        ("banned_until", None),
        ("referral_code", "AAAAAAAA"),
        ("preferences", {"timezone": "UTC"}),
    ],
)
async def test_what_is_no_ones_own_to_say_is_refused_at_its_field(
    container, browser, joined, field, value
):
    await joined(browser)
    before = (await browser.get(OWN)).json()
    refused = await browser.patch(OWN, json={"location": "Kiel", field: value})
    assert refused.status_code == 422, refused.text
    assert [one["field"] for one in refused.json()["fields"]] == [f"body.{field}"]
    assert (await browser.get(OWN)).json() == before


async def test_a_language_is_not_removed(browser, joined):
    await joined(browser)
    assert (await browser.patch(OWN, json={"language": None})).status_code == 422


async def test_a_user_name_is_one_persons(container, joined):
    async with container.client() as one, container.client() as other:
        await joined(one, "one@example.com")
        await joined(other, "other@example.com")
        answers = await asyncio.gather(
            *(who.patch(OWN, json={"username": "mira"}) for who in (one, other))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer for answer in answers if answer.is_error).json()
    assert (refused["code"], refused["fields"][0]["field"]) == ("username_taken", "body.username")


async def test_everyone_sees_four_columns_and_nobody_more(container, browser, joined):
    me = (await joined(browser))["user"]
    await browser.patch(OWN, json=SAID)
    four = {
        "id": me["id"],
        **{name: SAID[name] for name in ("username", "full_name", "avatar_url")},
    }
    async with container.client() as visitor, container.client() as other:
        await joined(other, "other@example.com")
        for who in (visitor, other, browser):
            assert (await who.get(f"/api/v1/profiles/{me['id']}")).json() == four
        assert (await visitor.get(f"/api/v1/profiles/{uuid4()}")).status_code == 404
        assert (await visitor.get(OWN)).status_code == 401
    assert set(PublicProfile.__dataclass_fields__) == set(four)
    await container.run("UPDATE auth.users SET deleted_at = now() WHERE email = $1", me["email"])
    async with container.client() as visitor:
        assert (await visitor.get(f"/api/v1/profiles/{me['id']}")).status_code == 404


async def test_nobody_changes_anothers(container, browser, joined):
    me = (await joined(browser))["user"]
    async with container.client() as other:
        theirs = (await joined(other, "other@example.com"))["user"]
    async with container.database.tx(Actor.user(theirs["id"])) as tx:
        changed = await tx.execute(
            "UPDATE public.profiles SET full_name = 'x' WHERE id = $1", me["id"]
        )
    assert changed == 0


async def test_ones_name_is_the_same_wherever_it_stands(container, browser, joined):
    await joined(browser)
    await browser.patch(OWN, json={"full_name": "Mira New"})
    assert (await browser.get("/api/v1/auth/me")).json()["user"]["full_name"] == "Mira New"
