"""What the account itself says is never taken for a shopper's, whatever marks it lacks."""

import pytest
from tests.infra.world import ACCOUNT, Brand, World

from selify.messaging.types import MessageEdited, MessageSeen, MessageUnsent

SCOPED = f"app-{ACCOUNT}"


@pytest.mark.parametrize(
    "author",
    [
        {"person_ref": ACCOUNT, "username": ""},
        {"person_ref": SCOPED, "username": ""},
        {"person_ref": "a third id of it", "username": "AtelierNord"},
        {"person_ref": "", "username": "ateliernord"},
    ],
    ids=["its id", "its id to our app", "its name", "its name alone"],
)
async def test_an_own_comment_without_the_marks_is_ignored(
    world: World, brand: Brand, author: dict[str, str]
) -> None:
    await world.say(world.comment("Comment TRY ON below", **author))
    assert await world.last() == ("skipped", "the account's own words, to nobody else")
    assert world.platform.sent == []
    assert await world.interactions() == []


async def test_a_comment_of_nobody_known_is_not_taken_for_an_own_one(
    world: World, brand: Brand
) -> None:
    await world.say(world.comment(person_ref="", username=""))
    assert len(world.platform.sent) == 1


@pytest.mark.parametrize("ref", [ACCOUNT, SCOPED])
async def test_the_account_that_writes_to_itself_makes_no_conversation(
    world: World, brand: Brand, ref: str
) -> None:
    now = world.clock.now()
    await world.say(
        world.message("a note to myself, try on", person_ref=ref),
        world.echo("another note", person_ref=ref),
        MessageEdited(ACCOUNT, ref, "mid.x", "changed", now, 1),
        MessageSeen(ACCOUNT, ref, "mid.x", now),
        MessageUnsent(ACCOUNT, ref, "mid.x", now),
    )
    assert {status for status, _ in await world.outcomes()} == {"skipped"}
    assert await world.value("SELECT count(*) FROM public.social_conversations") == 0
    assert world.platform.sent == []
    assert await world.notified() == []
