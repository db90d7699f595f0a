"""Rooms and things by their words."""

import pytest

SCRIPT = {"HX-Request": "true"}


async def found(person, text: str, **headers: str) -> str:
    answer = await person.browser.get("/search", params={"q": text}, headers={**SCRIPT, **headers})
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("text", "rooms"),
    [
        ("", {"Home", "Inbox", "Posts", "Wardrobe", "Accounts", "Engines", "Usage", "Settings"}),
        ("war", {"Wardrobe"}),
        ("WAR", {"Wardrobe"}),
        ("ardrobe", set()),
        ("post wardrobe", set()),
    ],
)
async def test_rooms_by_the_beginnings_of_their_words(brand, text: str, rooms: set[str]) -> None:
    shown = await found(brand.owner, text)
    known = ("Home", "Inbox", "Posts", "Wardrobe", "Accounts", "Engines", "Usage", "Settings")
    assert {room for room in known if f"<span>{room}</span>" in shown} == rooms


async def test_rooms_in_the_readers_language(brand) -> None:
    await brand.owner.post("/language", language="de")
    assert "Einstellungen" in await found(brand.owner, "einst")


async def test_garments_by_their_names_and_nobody_elses(brand, rival) -> None:
    shown = await found(brand.owner, "tee")
    assert "Tee of Nordlicht" in shown
    assert "Konkurrenz" not in shown
    assert "search=Tee+of+Nordlicht" in shown
    wardrobe = await brand.owner.look("/wardrobe?search=Tee+of+Nordlicht")
    assert "Tee of Nordlicht" in wardrobe
    assert "Nothing is called" in await brand.owner.look("/wardrobe?search=nowhere")


async def test_a_search_without_scripts_is_a_page(brand) -> None:
    shown = await brand.owner.look("/search?q=tee")
    assert "<h1>Search</h1>" in shown
    assert "Tee of Nordlicht" in shown
    assert "Nothing is called" in await brand.owner.look("/search?q=zzz")


@pytest.mark.parametrize("text", ["<script>", "%", "'; DROP", "ä" * 100, "\u202e"])
async def test_hostile_words_stay_words(brand, text: str) -> None:
    assert "<script>" not in await found(brand.owner, text)


async def test_too_long_a_search_is_refused(brand) -> None:
    answer = await brand.owner.browser.get("/search", params={"q": "a" * 101}, headers=SCRIPT)
    assert answer.status_code == 422
