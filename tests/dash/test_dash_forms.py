"""A form that is refused says why at the field, and keeps what was typed: with scripts and without."""

import json
import re
from html import unescape

import pytest
from httpx import Response
from tests.dash.conftest import PASSWORD


def cases(brand) -> dict[str, tuple[str, dict[str, str], str, str]]:
    """Every form with something to type: its address, what is typed, the field and the words."""
    post, garment = f"/posts/{brand.post_id}", f"/wardrobe/{brand.garment_id}"
    account = f"/accounts/{brand.account_id}"
    long = ", ".join(f"word {number}" for number in range(30))
    return {
        "post without a garment": (f"{post}/garment", {"keywords": "mine"}, "garment", "Choose"),
        "post's keywords": (
            f"{post}/garment",
            {"garment": str(brand.garment_id), "keywords": "x" * 50},
            "keywords",
            "Separate keywords by commas",
        ),
        "post without a second garment": (
            f"{post}/garment",
            {"garment": str(brand.garment_id), "worn_with": "", "keywords": "x" * 50},
            "keywords",
            "Separate keywords by commas",
        ),
        "post's second garment": (
            f"{post}/garment",
            {"garment": str(brand.garment_id), "worn_with": str(brand.garment_id)},
            "worn_with",
            "is a top too",
        ),
        "account": (
            f"{account}/settings",
            {"language": "de", "trigger_keywords": long},
            "trigger_keywords",
            "At most 20",
        ),
        "text": (
            f"{account}/texts",
            {"language": "en", "key": "button_like", "template": "far too long for a button"},
            "template",
            "a message can have",
        ),
        "new garment's price": ("/wardrobe", {"name": "Tee", "price": "cheap"}, "price", "39.90"),
        "new garment's stock": ("/wardrobe", {"name": "Tee", "stock": "-1"}, "stock", "whole"),
        "new garment's link": ("/wardrobe", {"name": "Tee", "url": "shop"}, "url", "https://"),
        "new garment's picture": ("/wardrobe", {"name": "Tee"}, "picture", "Choose a picture"),
        "garment's name": (garment, {"name": " ", "stock": "7"}, "name", "needs a name"),
        "garment's price": (garment, {"name": "Tee", "price": "cheap"}, "price", "39.90"),
        "brand's deletion": ("/settings/delete", {"name": "nordlicht"}, "name", "not its name"),
    }


NAMES = (
    "post without a garment",
    "post's keywords",
    "post without a second garment",
    "post's second garment",
    "account",
    "text",
    "new garment's price",
    "new garment's stock",
    "new garment's link",
    "new garment's picture",
    "garment's name",
    "garment's price",
    "brand's deletion",
)


@pytest.mark.parametrize("name", NAMES)
async def test_a_refusal_names_its_field(brand, name: str) -> None:
    path, typed, field, words = cases(brand)[name]
    answer = await send(brand, path, typed, script=True)
    assert answer.status_code == 422
    refused = json.loads(answer.headers["hx-trigger"])["refused"]
    assert refused["fields"][0]["name"] == field
    assert words in refused["fields"][0]["words"]
    assert 'role="alert"' in answer.text  # where the page's script is missing, a toast says it


@pytest.mark.parametrize("name", NAMES)
async def test_without_scripts_the_form_is_shown_once_more(brand, name: str) -> None:
    path, typed, field, words = cases(brand)[name]
    answer = await send(brand, path, typed)
    assert answer.status_code == 422
    shown = unescape(answer.text)
    assert f'action="{brand.at(path)}"' in shown
    for key, value in typed.items():
        from_a_list = key in ("garment", "key", "language", "worn_with") and key != field
        assert (f'type="hidden" name="{key}"' in shown) is from_a_list, key
        kept = re.search(
            rf'name="{key}"( value="{re.escape(value)}"|[^>]*>{re.escape(value)})', shown
        )
        assert kept, key
    assert words in shown
    if field in typed or path == "/wardrobe":
        assert f'aria-describedby="{field}-refused' in shown
        assert f'id="{field}-refused"' in shown


async def send(brand, path: str, typed: dict[str, str], *, script: bool = False) -> Response:
    """As the form of the page does: the wardrobe's has pictures in it."""
    owner = brand.owner
    by = owner.upload if path == "/wardrobe" else owner.post
    return await by(brand.at(path), script=script, **typed)


async def test_without_scripts_a_form_is_shown_once_more_in_the_words_of_its_page(brand) -> None:
    path, typed, *_ = cases(brand)["account"]
    answer = await send(brand, path, typed)
    labels = re.findall(r"<label for=[^>]*>([^<]+?) *<", answer.text)
    assert labels == ["Words that start a try-on"]
    path, typed, *_ = cases(brand)["text"]
    answer = await send(brand, path, typed)
    assert re.findall(r"<label for=[^>]*>([^<]+?) *<", answer.text) == ["Text"]


async def test_without_scripts_a_refused_garment_is_shown_in_the_wardrobe_itself(brand) -> None:
    typed = {"category": "dresses", "price": "39,90", "currency": "GBP", "stock": "12"}
    answer = await brand.owner.upload(brand.at("/wardrobe"), ("tee.png", b"no picture"), **typed)
    assert answer.status_code == 422
    shown = unescape(answer.text)
    assert "This is not a picture that we can read" in shown
    assert "choose the pictures once more" in shown
    assert '<option value="dresses" selected>' in shown
    assert '<option value="GBP" selected>GBP</option>' in shown
    assert 'name="price" value="39,90"' in shown
    assert f"Tee of {brand.name}" in shown
    assert '<details class="card uploader" open>' in shown


async def test_without_scripts_only_what_was_added_is_said_to_be_in_the_wardrobe(brand) -> None:
    broken = [(f"{name}.png", b"no picture") for name in ("one", "two")]
    answer = await brand.owner.upload(brand.at("/wardrobe"), *broken)
    assert "Not added: “one.png”" in answer.text
    assert "The others are in the wardrobe" not in answer.text


async def test_a_tampered_form_is_no_danger(brand) -> None:
    path = brand.at(f"/accounts/{brand.account_id}/settings")
    answer = await brand.owner.post(path, language='"><script>alert(1)</script>')
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    huge = await brand.owner.post(path, language="tlh", trigger_keywords="x" * 100_000)
    assert huge.status_code == 422
    assert "xxxxx" not in huge.text
    binary = await brand.owner.browser.post(
        path,
        content=b"language=\xff\xfe",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert binary.status_code == 422


@pytest.mark.parametrize(
    ("path", "typed", "field"),
    [
        ("/sign-in", {"email": "nobody", "password": "x"}, "email"),
        ("/sign-up", {"email": "nobody", "full_name": "Mira", "password": PASSWORD}, "email"),
        (
            "/sign-up",
            {"email": "a@b.example", "full_name": "Mira", "password": "short"},
            "password",
        ),
        ("/brands", {"name": " "}, "name"),
        ("/brands", {"name": "x" * 200}, "name"),
    ],
)
async def test_coming_in(brand, path: str, typed: dict[str, str], field: str) -> None:
    browser = (
        brand.owner.browser if path == "/brands" else brand.site.visitor(Origin=brand.site.url)
    )
    answer = await browser.post(path, data=typed)
    assert answer.status_code == 422
    assert f'aria-describedby="{field}-refused' in answer.text
    assert f'id="{field}-refused"' in answer.text
    for key, value in typed.items():
        assert (f'value="{value}"' in answer.text) is (key != "password" and bool(value.strip())), (
            key
        )
    if browser is not brand.owner.browser:
        await browser.aclose()
