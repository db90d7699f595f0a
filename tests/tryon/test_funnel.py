"""Counters are projections: whatever happened, they equal a recount of the rows."""

from datetime import timedelta

from tests.infra.world import ACCOUNT, ANA, SYSTEM, Brand, World

from selify.tryon import funnel as funnels
from selify.tryon import interactions, posts
from selify.tryon.dialogue import Button, Stage, State


async def result_arrives(world: World, *, liked: bool | None = None) -> None:
    """What the job does to the conversation, without its picture."""
    state = await world.state()
    assert state.interaction_id
    async with world.database.tx(SYSTEM) as tx:
        await interactions.generation_started(tx, state.interaction_id, at=world.clock.now())
        await interactions.generation_finished(
            tx, state.interaction_id, successful=True, photo_score=100, at=world.clock.now()
        )
    after = State(
        **{
            **{name: getattr(state, name) for name in State.__dataclass_fields__},
            "stage": Stage.RESULT_SENT,
            "photo_ref": "",
            "result_id": state.interaction_id,
        }
    )
    await world.sql(
        "UPDATE public.social_conversations SET conversation_state = $2 WHERE platform_user_id = $1",
        ANA,
        after.to_json(),
    )
    if liked is not None:
        button = Button.LIKE if liked else Button.DISLIKE
        await world.say(world.message("title", button=button))


async def test_feedback_belongs_to_the_picture_it_is_about(world: World, brand: Brand) -> None:
    await world.say(world.comment(), world.photo())
    await result_arrives(world, liked=False)
    await world.say(world.message("Another photo", button=Button.AGAIN))
    first, second = await world.interactions()
    assert (first["user_satisfied"], second["user_satisfied"]) == (False, None)
    assert second["interaction_type"] == "another_try"
    await world.say(world.message("❤️ Love it", button=Button.LIKE), world.photo())
    first, second = await world.interactions()
    assert (first["user_satisfied"], second["user_sent_photo"]) == (True, True)
    await result_arrives(world, liked=True)
    first, second = await world.interactions()
    assert second["user_satisfied"]
    assert second["conversation_ended_at"]
    assert await world.charges() == ["reserved", "reserved"]


async def test_a_photo_right_after_a_result_is_a_row_of_its_own(world: World, brand: Brand) -> None:
    await world.say(world.comment(), world.photo())
    await result_arrives(world)
    await world.say(world.photo())
    assert len(await world.interactions()) == 2


async def test_counters_equal_a_recount(world: World, brand: Brand) -> None:
    await world.say(*(world.comment(person_ref=f"p{n}") for n in range(3)))
    await world.say(world.comment(), world.photo())
    await result_arrives(world, liked=True)
    async with world.database.tx(SYSTEM) as tx:
        assert await interactions.refresh_counters(tx, now=world.clock.now()) == 1
        assert await interactions.refresh_counters(tx, now=world.clock.now()) == 0
    row = (
        await world.sql(
            "SELECT * FROM public.social_posts_garment_bindings WHERE id = $1",
            brand.bindings[f"post-{ACCOUNT}"],
        )
    )[0]
    counted = (
        await world.sql(
            """
            SELECT count(*) AS triggers, count(*) FILTER (WHERE bot_responded) AS dms,
                   count(*) FILTER (WHERE user_sent_photo) AS photos,
                   count(*) FILTER (WHERE generation_attempted) AS tries,
                   count(*) FILTER (WHERE generation_successful) AS good
              FROM public.bot_interactions
            """
        )
    )[0]
    assert tuple(counted) == (4, 4, 1, 1, 1)
    shown = (
        "total_triggers",
        "total_dm_conversations",
        "total_photos_received",
        "total_generations",
        "successful_generations",
    )
    assert tuple(row[name] for name in shown) == tuple(counted)
    assert float(row["overall_conversion_rate"]) == 25.0
    async with world.database.tx(SYSTEM) as tx:
        since = world.clock.now() - timedelta(days=1)
        funnel = await funnels.funnel(tx, brand.workspace_id, since=since, now=world.clock.now())
    assert funnel == {"triggers": 4, "answered": 4, "photos": 1, "tried_on": 1, "liked": 1}


async def test_keywords_of_a_post_explain_themselves(world: World, brand: Brand) -> None:
    post_id = await world.value(
        "SELECT id FROM public.social_posts WHERE platform_post_id = $1", f"post-{ACCOUNT}"
    )
    async with world.database.tx(SYSTEM) as tx:
        found = await posts.keywords_of(tx, brand.workspace_id, post_id)
    assert found.rule == "default"
    await world.sql(
        'UPDATE public.social_posts SET bot_config = \'{"trigger_keywords": ["glow"]}\''
        " WHERE id = $1",
        post_id,
    )
    await world.say(world.comment("try on"), world.comment("I want to GLOW"))
    assert [row["trigger_word"] for row in await world.interactions()] == ["glow"]
