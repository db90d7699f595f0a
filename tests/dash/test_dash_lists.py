"""Lists of a brand go on to their very end: page after page, without gaps, on pages and in the API."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID, uuid4

import pytest

from selify.core.cursor import Cursor

START = datetime(2026, 1, 1, tzinfo=UTC)


async def many_conversations(brand, count: int) -> None:
    """With the one that is there already, the last of them nobody has said anything in."""
    await brand.site.run(
        """
        INSERT INTO public.social_conversations
               (workspace_id, connected_account_id, platform, platform_user_id, platform_username,
                last_message_at, unread_count, conversation_state)
        SELECT $1, $2, 'instagram', 'p' || n, 'shopper-' || n || '-',
               CASE WHEN n > 3 THEN $3::timestamptz + (n / 2) * interval '1 minute' END, n % 2,
               jsonb_build_object('handler', CASE WHEN n % 10 = 0 THEN 'human' ELSE 'bot' END)
          FROM generate_series(1, $4) AS n
        """,
        brand.id,
        brand.account_id,
        START,
        count,
    )


async def many_posts(brand, count: int) -> None:
    await brand.site.run(
        """
        INSERT INTO public.social_posts
               (workspace_id, connected_account_id, platform, platform_post_id, caption, posted_at,
                platform_url, media_type)
        SELECT $1, $2, 'instagram', 'many-' || n, 'caption-' || n || '-',
               $3::timestamptz + (n / 2) * interval '1 minute', 'https://x.example', 'image'
          FROM generate_series(1, $4) AS n
        """,
        brand.id,
        brand.account_id,
        START,
        count,
    )


async def many_messages(brand, count: int) -> None:
    await brand.site.run(
        """
        INSERT INTO public.social_messages
               (conversation_id, platform_message_id, sender_platform_id, message_text,
                message_type, created_at)
        SELECT $1::uuid, $1::uuid::text || n, 'p', 'message-' || n || '-', 'text',
               $2::timestamptz + (n / 2) * interval '1 minute'
          FROM generate_series(1, $3) AS n
        """,
        brand.conversation_id,
        START,
        count,
    )


async def many_garments(brand, count: int) -> None:
    await brand.site.run(
        """
        INSERT INTO public.wardrobe_garments
               (workspace_id, storage_path, filename, name, created_at)
        SELECT $1, 'g/' || n, 'g.png', 'garment-' || n || '-',
               $2::timestamptz + (n / 2) * interval '1 minute'
          FROM generate_series(1, $3) AS n
        """,
        brand.id,
        START,
        count,
    )


async def turn_pages(brand, path: str, title: str, word: str) -> list[str]:
    """The names found on each page, as long as there is a link of that title."""
    found: list[str] = []
    while True:
        html = await brand.owner.look(path)
        found += sorted(set(re.findall(rf"{word}-\d+-", html)))
        links = re.findall(rf'href="([^"]+)"[^>]*>{title}</a>', html)
        if not links:
            return found
        path = unescape(links[0])


@pytest.mark.parametrize(
    ("make", "count", "path", "title", "word"),
    [
        (many_conversations, 120, "/conversations", "Earlier conversations", "shopper"),
        (many_posts, 130, "/posts", "Earlier posts", "caption"),
        (many_garments, 130, "/wardrobe", "Earlier garments", "garment"),
        (many_messages, 450, "/conversations/{}", "Earlier messages", "message"),
    ],
)
async def test_a_list_goes_on_to_its_end(
    brand, make: Callable, count: int, path: str, title: str, word: str
) -> None:
    await make(brand, count)
    found = await turn_pages(brand, path.format(brand.conversation_id), title, word)
    latest = {"shopper": 1, "message": 1}.get(
        word, 0
    )  # named again above the thread or in the list
    assert set(found) == {f"{word}-{n}-" for n in range(1, count + 1)}
    assert len(found) <= count + 3 * latest


async def test_conversations_can_be_filtered(brand) -> None:
    await many_conversations(brand, 40)
    waiting = await brand.owner.look(brand.at("/fragments/conversations") + "&wanted=human")
    assert set(re.findall(r"shopper-\d+-", waiting)) == {f"shopper-{n}-" for n in (10, 20, 30, 40)}
    unread = await brand.owner.look(brand.at("/fragments/conversations") + "&wanted=unread")
    assert set(re.findall(r"shopper-\d+-", unread)) == {f"shopper-{n}-" for n in range(1, 41, 2)}


async def test_the_picture_of_an_old_post(brand) -> None:
    await many_posts(brand, 70)
    oldest = (
        await brand.site.run(
            "SELECT id FROM public.social_posts WHERE workspace_id = $1 AND posted_at = $2 LIMIT 1",
            brand.id,
            START,
        )
    )[0]["id"]
    key = f"workspaces/{brand.id}/posts/{oldest}.jpg"
    await brand.site.storage.put(key, b"a picture", content_type="image/jpeg")
    shown = await brand.owner.browser.get(f"/posts/{oldest}/picture", follow_redirects=True)
    assert shown.content == b"a picture"


@pytest.mark.parametrize(
    ("make", "count", "path", "word", "text"),
    [
        (many_conversations, 120, "conversations", "shopper", "username"),
        (many_posts, 130, "posts", "caption", "caption"),
        (many_garments, 210, "garments", "garment", "name"),
    ],
)
async def test_the_apis_lists_go_on_to_their_end(
    brand, make: Callable, count: int, path: str, word: str, text: str
) -> None:
    await make(brand, count)
    address = f"/api/v1/workspaces/{brand.id}/{path}"
    rows: list[dict] = []
    while page := (await brand.owner.browser.get(address, params=following(rows))).json():
        rows += page
    names = [row[text] for row in rows if row[text].startswith(word)]
    assert sorted(names) == sorted(f"{word}-{n}-" for n in range(1, count + 1))
    assert (await brand.owner.browser.get(address, params={"after": str(uuid4())})).status_code in (
        200,
        404,
        422,
    )


def following(rows: list[dict]) -> dict[str, str]:
    """What asks for the page after these rows: their last one's cursor, or its id."""
    return {"after": rows[-1].get("cursor") or rows[-1]["id"]} if rows else {}


@pytest.mark.parametrize("wanted", ["all", "unread"])
async def test_a_page_of_conversations_begins_where_the_one_before_ended(
    brand, wanted: str
) -> None:
    """Also when the shopper of its last row writes meanwhile, and goes to the top."""
    await many_conversations(brand, 130)
    address = f"/api/v1/workspaces/{brand.id}/conversations"
    first = (await brand.owner.browser.get(address, params={"wanted": wanted})).json()
    assert len(first) == 50
    await brand.site.run(
        "UPDATE public.social_conversations SET last_message_at = now() WHERE id = $1",
        UUID(first[-1]["id"]),
    )
    asked = {"wanted": wanted, **following(first)}
    second = (await brand.owner.browser.get(address, params=asked)).json()
    assert second
    assert not {row["id"] for row in first} & {row["id"] for row in second}
    at = [row["last_message_at"] for row in (*first, *second) if row["last_message_at"]]
    assert at == sorted(at, reverse=True)


@pytest.mark.parametrize(
    "cursor", ["x", "_", f"2026-01-01T00:00:00_{UUID(int=7)}", str(UUID(int=7))]
)
async def test_what_is_no_cursor_is_refused(brand, cursor: str) -> None:
    address = f"/api/v1/workspaces/{brand.id}/conversations"
    answer = await brand.owner.browser.get(
        address, params={"after": cursor}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == "query.after"


async def test_the_apis_messages_go_back_to_the_first(brand) -> None:
    await many_messages(brand, 450)
    address = f"/api/v1/workspaces/{brand.id}/conversations/{brand.conversation_id}/messages"
    rows: list[dict] = []
    while page := (
        await brand.owner.browser.get(address, params={"before": rows[0]["id"]} if rows else {})
    ).json():
        rows = page + rows
    assert len(rows) == 451
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    nowhere = await brand.owner.browser.get(address, params={"before": str(uuid4())})
    assert nowhere.status_code == 404


@pytest.mark.parametrize("at", [None, START, START + timedelta(microseconds=1)])
def test_a_mark_survives_an_address(at: datetime | None) -> None:
    mark = Cursor(at, UUID(int=7))
    assert Cursor.parse(str(mark)) == mark


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"], ids=["first", "last"]
)
def test_a_mark_beyond_all_times_is_none(at: str) -> None:
    assert Cursor.parse(f"{at}_{UUID(int=7)}") is None


@pytest.mark.parametrize("text", ["", "_", "x_y", f"2026-01-01T00:00:00_{UUID(int=7)}", "a" * 99])
def test_what_is_no_mark_begins_at_the_beginning(text: str) -> None:
    assert Cursor.parse(text) is None
