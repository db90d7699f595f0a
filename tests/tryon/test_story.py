"""What the log tells of a conversation: who, what kind of thing, how it ended; never the words."""

from structlog.testing import capture_logs
from tests.infra.world import ACCOUNT, ANA, Brand, World

from selify.messaging.types import MessageUnsent

SECRET = "my sister's birthday is in May, try on please"


async def test_the_log_tells_the_story_and_no_words(world: World, brand: Brand) -> None:
    photo = world.photo()
    with capture_logs() as lines:
        await world.say(world.comment(SECRET), world.comment("only " + "lovely"))
        await world.say(world.message(SECRET), photo)
        await world.say(MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now()))
    told = [line["event"].format_map(line) for line in lines]
    assert told[0] == "ana commented under Forest Tee: asked to try on"
    assert "ana received an answer: greeting" in told
    assert "ana commented under Forest Tee: no keyword" in told
    assert "ana sent a message (image): photo received" in told
    assert "ana will be dressed in Forest Tee: 383 credits reserved" in told
    assert "ana received an answer: generating" in told
    assert told[-1] == "ana took a message back"
    everything = " ".join(str(line) for line in lines)
    for private in ("sister", "lovely", photo.attachments[0].url):
        assert private not in everything


async def test_a_person_of_the_brand_takes_over(world: World, brand: Brand) -> None:
    await world.say(world.comment())
    with capture_logs() as lines:
        await world.say(world.echo("Hi Ana, Nora here: what size do you wear?"))
    told = [line["event"].format_map(line) for line in lines]
    assert told == [f"somebody of {brand.account.username} answered ana: the bot is silent there"]
