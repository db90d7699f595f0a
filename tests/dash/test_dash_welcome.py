"""Coming in: visitors are sent to the door, and come back to where they wanted to go."""

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

PAGES = (
    "/",
    "/conversations",
    "/posts",
    "/wardrobe",
    "/accounts",
    "/engines",
    "/billing",
    "/settings",
    "/notifications",
    "/brands/new",
    f"/brands/{UUID(int=4)}/deleted",
)


@pytest.mark.parametrize("path", PAGES)
async def test_a_visitor_is_sent_to_the_door(site, path: str) -> None:
    async with site.visitor() as visitor:
        answer = await visitor.get(path)
    assert answer.status_code == 303
    door = urlsplit(answer.headers["location"])
    assert door.path == "/sign-in"
    assert parse_qs(door.query).get("return_to", ["/"]) == [path]


async def test_the_api_still_speaks_json(site) -> None:
    async with site.visitor() as visitor:
        answer = await visitor.get("/api/v1/workspaces")
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"


async def test_from_nothing_to_a_brand(site) -> None:
    async with site.visitor(Origin=site.url) as visitor:
        form = {"email": "fresh@people.example", "password": "three good words", "full_name": "Fr"}
        joined = await visitor.post("/sign-up", data=form)
        assert (joined.status_code, joined.headers["location"]) == (303, "/sign-up/done")
        assert "Look into your mailbox" in (await visitor.get("/sign-up/done")).text
        signed_in = await visitor.post("/sign-in", data={**form, "return_to": "/brands/new"})
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/brands/new")
        first = await visitor.get("/", follow_redirects=True)
        assert "Create your brand" in first.text  # there is nothing to look at yet
        nameless = await visitor.post("/brands", data={"name": ""})
        assert nameless.status_code == 422
        assert "A brand needs a name." in nameless.text
        made = await visitor.post("/brands", data={"name": "Été & Co."}, follow_redirects=True)
        assert "Été &amp; Co." in made.text
        assert "Your brand is ready" in made.text
        home = await visitor.get("/")
    assert "Three steps to your first try-on" in home.text


async def test_signing_in_leads_back(brand) -> None:
    async with brand.site.visitor(Origin=brand.site.url) as visitor:
        form = {
            "email": brand.owner.email,
            "password": "correct horse battery",
            "return_to": "/wardrobe",
        }
        answer = await visitor.post("/sign-in", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/wardrobe")
        assert (await visitor.get("/wardrobe")).status_code == 200
        assert (await visitor.get("/sign-in")).headers["location"] == "/"
        out = await visitor.post("/sign-out")
        assert out.headers["location"] == "/sign-in"
        assert (await visitor.get("/wardrobe")).status_code == 303


@pytest.mark.parametrize(
    "goal", ["https://evil.example/", "//evil.example", "/\\evil.example", "/sign-out", "/api/v1/x"]
)
async def test_nobody_is_led_elsewhere(brand, goal: str) -> None:
    async with brand.site.visitor(Origin=brand.site.url) as visitor:
        shown = await visitor.get("/sign-in", params={"return_to": goal})
        assert 'name="return_to" value="/"' in shown.text
        form = {"email": brand.owner.email, "password": "correct horse battery", "return_to": goal}
        answer = await visitor.post("/sign-in", data=form)
    assert answer.headers["location"] == "/"


async def test_a_wrong_password_keeps_the_address(brand) -> None:
    async with brand.site.visitor(Origin=brand.site.url) as visitor:
        form = {"email": brand.owner.email, "password": "wrong"}
        answer = await visitor.post("/sign-in", data=form)
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert f'value="{brand.owner.email}"' in answer.text
    assert "wrong" not in answer.text.replace("Something went wrong", "")


async def test_another_website_cannot_sign_anybody_in_or_out(brand) -> None:
    async with brand.site.visitor(Origin="https://evil.example") as visitor:
        form = {"email": brand.owner.email, "password": "correct horse battery"}
        assert (await visitor.post("/sign-in", data=form)).status_code == 403
    evil = {"Origin": "https://evil.example"}
    path = f"/conversations/{brand.conversation_id}/take-over"
    assert (await brand.owner.browser.post(path, headers=evil)).status_code == 403
    assert (await brand.owner.browser.post("/sign-out", headers=evil)).status_code == 403
    assert (await brand.owner.browser.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("query", "goal"),
    [
        ("return_to=/wardrobe", "/wardrobe"),
        ("return_to=%2Fposts%3Fpage%3D2", "/posts?page=2"),
        ("return_to=/posts&return_to=//evil.example", "/"),
        ("return_to=/posts&return_to=/posts", "/"),
        (f"return_to=/{'a' * 5000}", "/"),
        ("return_to=/%2509evil", "/%09evil"),
        ("return_to=/%09evil", "/"),
        ("return_to=/dash%0d%0aSet-Cookie:%20a=b", "/"),
        ("return_to=/sign-in%3Freturn_to%3D/sign-in", "/"),
    ],
)
async def test_where_the_door_leads(brand, query: str, goal: str) -> None:
    async with brand.site.visitor(Origin=brand.site.url) as visitor:
        shown = await visitor.get(f"/sign-in?{query}")
        assert shown.status_code == 200
        assert f'name="return_to" value="{goal}"' in shown.text
    async with brand.owner.browser as owner:
        assert (await owner.get(f"/sign-in?{query}")).headers["location"] == goal
