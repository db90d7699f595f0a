"""What is shown to whom: members see their brand, and nobody sees another's."""

import re
from html import unescape
from html.parser import HTMLParser
from uuid import UUID, uuid4

import pytest

ROOMS = (
    "/",
    "/conversations",
    "/posts",
    "/wardrobe",
    "/accounts",
    "/engines",
    "/billing",
    "/settings",
    "/notifications",
)
PARTS = ("attention", "conversations", "thread", "funnel", "money", "health", "bell")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"


class Page(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.mark.parametrize("path", ROOMS)
async def test_every_room_opens_for_every_member(brand, path: str) -> None:
    for role in ("admin", "member"):
        person = await brand.member(role)
        assert "Nordlicht" in await person.look(path)
        await person.browser.aclose()


async def test_what_a_member_sees(brand) -> None:
    inbox = await brand.owner.look("/conversations")
    assert "Hello Nordlicht, is this real?" in inbox
    assert "Waiting for a photo" in inbox
    home = await brand.owner.look("/")
    assert "10,000" in home  # the week's credits
    assert "@nordlicht.shop" in home
    assert "A post of Nordlicht" in await brand.owner.look("/posts")
    assert "Tee of Nordlicht" in await brand.owner.look("/wardrobe")


@pytest.mark.parametrize("path", ROOMS)
async def test_another_brand_appears_nowhere(brand, rival, path: str) -> None:
    shown = await brand.owner.look(path)
    for word in ("Konkurrenz", "konkurrenz.shop", "other-shopper", str(rival.id)):
        assert word not in shown


async def test_another_brand_cannot_be_opened(brand, rival) -> None:
    stranger = brand.owner.browser
    charge = await rival.charge()
    for path in (
        rival.at("/"),
        rival.at("/fragments/thread"),
        rival.at("/live"),
        f"/conversations/{rival.conversation_id}",
        f"/posts/{rival.post_id}/keywords",
        f"/posts/{rival.post_id}/picture",
        f"/accounts/{rival.account_id}/texts",
        f"/billing/charges/{charge}",
        f"/fragments/thread?conversation={rival.conversation_id}",
    ):
        answer = await stranger.get(path)
        assert answer.status_code == 404, path
        assert "Konkurrenz" not in answer.text


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/conversations/{conversation_id}/take-over", {}),
        ("/conversations/{conversation_id}/hand-back", {}),
        ("/posts/{post_id}/garment", {"garment": "{garment_id}"}),
        ("/posts/{post_id}/garment/remove", {}),
        ("/wardrobe/{garment_id}/category", {"category": "dresses"}),
        ("/wardrobe/{garment_id}", {"name": "mine"}),
        ("/wardrobe/{garment_id}/archive", {}),
        ("/wardrobe/{garment_id}/restore", {}),
        ("/accounts/{account_id}/settings", {"language": "de"}),
        ("/accounts/{account_id}/texts", {"language": "en", "key": "feedback", "template": "?"}),
        ("/accounts/{account_id}/disconnect", {}),
    ],
)
async def test_another_brand_cannot_be_changed(brand, rival, path: str, form: dict) -> None:
    """Neither from one's own workspace, nor by naming the other."""
    ids = vars(rival)
    path = path.format(**ids)
    filled = {key: value.format(**ids) for key, value in form.items()}
    before = await _of(rival)
    for address in (brand.at(path), rival.at(path)):
        answer = await brand.owner.post(address, **filled)
        assert answer.status_code == 404, address
    assert await _of(rival) == before


async def _of(brand) -> list[tuple]:
    tables = {
        "connected_social_accounts": "workspace_id",
        "social_conversations": "workspace_id",
        "wardrobe_garments": "workspace_id",
        "social_posts_garment_bindings": "workspace_id",
    }
    found = []
    for table, column in tables.items():
        rows = await brand.site.run(f"SELECT * FROM public.{table} WHERE {column} = $1", brand.id)
        found += [tuple(row) for row in rows]
    return found


async def test_two_brands_of_one_person_do_not_mix(brand, rival) -> None:
    await rival.site.run(
        "INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at)"
        " VALUES ($1, $2, 'member', now())",
        rival.id,
        brand.owner.id,
    )
    assert "other-shopper" in await brand.owner.look(rival.at("/conversations"))
    assert "other-shopper" not in await brand.owner.look(brand.at("/conversations"))
    # A link in a notice does not say in which brand it is.
    landed = await brand.owner.browser.get(
        f"/conversations/{rival.conversation_id}", follow_redirects=True
    )
    assert landed.url.params["workspace"] == str(rival.id)
    assert "other-shopper" in landed.text
    # The brand looked at last is the one that opens next time.
    assert "other-shopper" in await brand.owner.look("/conversations")


async def test_an_account_that_is_gone_is_an_alarm_and_not_a_first_step(brand) -> None:
    await brand.owner.post(
        brand.at(f"/posts/{brand.post_id}/garment"), garment=str(brand.garment_id)
    )
    alarm = "@nordlicht.shop is disconnected: shoppers get no answers."
    assert alarm not in await brand.owner.look("/")
    await brand.owner.post(brand.at(f"/accounts/{brand.account_id}/disconnect"))
    shown = await brand.owner.look("/")
    assert alarm in shown
    assert "Three steps" not in shown


async def test_the_latest_conversation_is_not_taken_from_who_reads_another(brand) -> None:
    other = await brand.site.run(
        """
        INSERT INTO public.social_conversations
               (workspace_id, connected_account_id, platform, platform_user_id, platform_username,
                last_message_at)
        VALUES ($1, $2, 'instagram', 'p-1', 'ann', now() + interval '1 minute')
        RETURNING id
        """,
        brand.id,
        brand.account_id,
    )
    assert "ann" in await brand.owner.look("/fragments/thread")
    held = await brand.owner.look(f"/fragments/thread?held={brand.conversation_id}")
    assert "Hello Nordlicht" in held
    assert "New message from ann" in held
    assert f"/conversations/{other[0]['id']}" in held
    latest = await brand.owner.look(f"/fragments/thread?held={other[0]['id']}")
    assert "The latest conversation" in latest
    assert "New message" not in latest


async def test_used_up_credits_say_how_it_goes_on(brand) -> None:
    await brand.site.run(
        "UPDATE public.workspace_quotas SET weekly_credits_used = weekly_credits_limit"
        " WHERE workspace_id = $1",
        brand.id,
    )
    shown = await brand.owner.look("/billing")
    assert "shoppers have to wait" in shown
    assert "top it up" in shown


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(20, "answers at once"), (1300, "1.3 s on average")]
)
async def test_how_soon_the_platform_answers(brand, milliseconds: int, words: str) -> None:
    await brand.site.run(
        """
        INSERT INTO public.instagram_account_health
               (account_id, health_status, avg_response_time_ms, last_successful_api_call)
        VALUES ($1, 'healthy', $2, now())
        """,
        brand.account_id,
        milliseconds,
    )
    assert words in await brand.owner.look("/accounts")


async def test_hostile_words_stay_words(brand) -> None:
    await brand.site.run(
        "UPDATE public.social_conversations SET platform_username = $2 WHERE id = $1",
        brand.conversation_id,
        HOSTILE,
    )
    await brand.site.run(
        "UPDATE public.social_posts SET caption = $2, platform_url = 'javascript:alert(3)'"
        " WHERE id = $1",
        brand.post_id,
        HOSTILE,
    )
    await brand.site.run(
        "UPDATE public.wardrobe_garments SET name = $2,"
        " leffa_metadata = leffa_metadata || $3 WHERE id = $1",
        brand.garment_id,
        HOSTILE,
        {"colours": [{"name": HOSTILE, "hex": '"><script>'}], "warnings": [HOSTILE]},
    )
    await brand.hear(HOSTILE)
    for path in ("/conversations", "/posts", "/wardrobe"):
        shown = await brand.owner.look(path)
        page = Page(shown)
        assert all(script.get("src") for script in page.all("script"))
        assert not [1 for _, attributes in page.tags for name in attributes if name[:2] == "on"]
        links = [attributes.get("href") or "" for attributes in page.all("a")]
        assert not [link for link in links if link.startswith("javascript")]
        assert HOSTILE in unescape(shown)


@pytest.mark.parametrize("path", [*ROOMS, "/sign-in", "/sign-up"])
async def test_nothing_inline_that_the_policy_forbids(brand, path: str) -> None:
    answer = await brand.owner.browser.get(path, follow_redirects=True)
    assert "script-src" in answer.headers["content-security-policy"] or (
        "default-src 'self'" in answer.headers["content-security-policy"]
    )
    page = Page(answer.text)
    assert not page.all("style")
    assert not [1 for _, attributes in page.tags if "style" in attributes]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", PARTS)
async def test_every_part_can_be_drawn_again(brand, name: str) -> None:
    page = await brand.owner.browser.get(
        brand.at(f"/fragments/{name}"), headers={"HX-Request": "true"}
    )
    assert page.status_code == 200
    assert "<html" not in page.text


async def test_each_page_has_one_heading_of_its_own(brand) -> None:
    charge = await brand.charge()
    for path in (
        *ROOMS,
        "/notifications",
        "/settings",
        f"/accounts/{brand.account_id}/texts",
        f"/posts/{brand.post_id}/garment",
        f"/posts/{brand.post_id}/keywords",
        f"/billing/charges/{charge}",
    ):
        assert len(Page(await brand.owner.look(path)).all("h1")) == 1, path


LIVE = {
    "/": {"attention", "funnel", "money", "health"},
    "/conversations": {"conversations", "thread"},
    "/posts": {"posts"},
    "/wardrobe": {"garments"},
    "/accounts": {"doctor", "bot-switch"},
    "/engines": {"league"},
    "/billing": {"books", "charges"},
}


@pytest.mark.parametrize("path", LIVE)
async def test_a_page_that_says_live_is(brand, path: str) -> None:
    """Each part of it is fetched again, and reads the same when nothing happened."""
    html = await brand.owner.look(path)
    parts = [found for _, found in Page(html).tags if "data-live" in found]
    addresses = {str(part["hx-get"]).partition("?")[0]: str(part["hx-get"]) for part in parts}
    assert addresses.keys() == {
        f"/fragments/{name}" for name in LIVE[path] | {"bell", "banner", "room-list"}
    }
    for address in addresses.values():
        asks = {"HX-Request": "true", "HX-Current-URL": brand.site.url + path}
        again = await brand.owner.browser.get(address, headers=asks)
        assert again.status_code == 200
        assert again.text.strip() in html, address


@pytest.mark.parametrize("path", LIVE)
async def test_the_page_listens_to_what_its_parts_show(brand, path: str) -> None:
    page = Page(await brand.owner.look(path))
    body = page.all("body")[0]
    assert body["sse-connect"] == f"/live?workspace={brand.id}"
    heard = {
        name
        for _, attributes in page.tags
        for name in (attributes.get("hx-trigger") or "").replace(",", " ").split()
        if name.startswith("sse:")
    }
    told = await brand.site.run(
        "SELECT DISTINCT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'tell'"
    )
    tables = {row["name"].rpartition(".")[2] for row in told}
    assert heard - {"sse:everything"} <= {f"sse:{table}" for table in tables}


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "There is no page at this address"),
        (f"/conversations/{UUID(int=4)}", 404, "no such conversation"),
        ("/conversations/not-a-number", 404, "There is no page at this address"),
        ("/fragments/nonsense", 404, "no such part"),
        ("/files/nonsense", 404, "no such file"),
    ],
)
async def test_refusals_are_pages_for_people(brand, path: str, status: int, words: str) -> None:
    answer = await brand.owner.browser.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.text
    assert answer.headers["x-trace-id"] in answer.text


async def test_refusals_of_a_part_are_messages_on_the_page(brand) -> None:
    answer = await brand.owner.post(
        brand.at(f"/posts/{brand.post_id}/garment"), script=True, garment=str(uuid4())
    )
    assert answer.status_code == 404
    assert answer.headers["hx-retarget"] == "#toasts"
    assert 'role="alert"' in answer.text


async def test_who_is_signed_out_meanwhile_is_sent_to_the_door(site) -> None:
    async with site.visitor() as visitor:
        answer = await visitor.get("/fragments/thread", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, "/sign-in")


@pytest.mark.parametrize("path", [*ROOMS, "/sign-in", "/sign-up", "/nowhere"])
async def test_pages_can_be_used_without_seeing_them(brand, path: str) -> None:
    answer = await brand.owner.browser.get(path)
    if answer.status_code == 303:  # signed in already
        async with brand.site.visitor() as visitor:
            answer = await visitor.get(path)
    page = Page(answer.text)
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("main")) == 1
    assert answer.text.partition("</head>")[0].count("<title>") == 1
    assert all("alt" in image for image in page.all("img"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert sorted(ids) == sorted(set(ids))
    assert _unlabelled(answer.text) == []


def _unlabelled(html: str) -> list[str]:
    """Fields that no label is for, outside of any, that have no other name."""
    found, depth = [], 0
    named = set(re.findall(r'<label for="([^"]+)"', html))

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            nonlocal depth
            attributes = dict(attrs)
            depth += tag == "label"
            field = tag in ("input", "select", "textarea") and attributes.get("type") != "hidden"
            if (
                field
                and not depth
                and "aria-label" not in attributes
                and attributes.get("id") not in named
            ):
                found.append(str(attributes))

        def handle_endtag(self, tag):
            nonlocal depth
            depth -= tag == "label"

    Reader().feed(html)
    return found


async def test_shoppers_without_a_name_can_be_told_apart(brand) -> None:
    await brand.site.run(
        "UPDATE public.social_conversations SET platform_username = NULL,"
        " platform_user_id = 'igsid-4821' WHERE id = $1",
        brand.conversation_id,
    )
    html = await brand.owner.look("/conversations")
    assert html.count("Shopper · 4821") >= 2  # in the list, and above the thread
