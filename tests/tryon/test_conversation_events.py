"""Every kind of event, handled by the real inbox on the real database."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.infra.world import ACCOUNT, ANA, PHOTO, SYSTEM, Brand, World

from selify import commerce
from selify.core.database import Actor, Tx
from selify.core.money import Credits
from selify.core.queue import outbox
from selify.messaging import conversations, outgoing
from selify.messaging.ports import Action, Refused
from selify.messaging.types import (
    Attachment,
    AttachmentKind,
    ButtonTapped,
    Handler,
    MessageEdited,
    MessageSeen,
    MessageUnsent,
    NothingToDo,
    ReactionChanged,
)
from selify.tryon import keywords
from selify.tryon.dialogue import Button, Stage


async def thread_open(world: World) -> None:
    """A comment, answered: Ana's thread knows its garment."""
    await world.say(world.comment())


# --- Comments ---


async def test_the_greeting_asks_for_as_much_of_the_person_as_the_garment_covers(
    world: World, brand: Brand
) -> None:
    await world.say(world.comment())
    for category in ("dresses", "lower_body"):
        async with world.database.tx(Actor.system("test")) as tx:
            await commerce.confirm_category(tx, brand.workspace_id, brand.garment_id, category)
        await world.say(world.comment())
    await world.say(world.message("and now?"))
    assert ["head to feet" in text for text in world.platform.texts] == [False, True, True, True]


async def test_a_comment_with_a_keyword_gets_its_private_reply_once(
    world: World, brand: Brand
) -> None:
    comment = world.comment()
    await world.handle(comment, world.comment("lovely!"), comment)
    await world.handle(comment)
    assert await world.queued() == ["greeting"]
    assert len(await world.interactions()) == 1
    await world.deliver()
    await world.say(comment)
    assert [message.comment_ref for message in world.platform.sent] == [comment.comment_ref]
    assert "Atelier Nord" in world.platform.texts[0]


async def test_sending_the_private_reply_opens_the_thread(world: World, brand: Brand) -> None:
    await thread_open(world)
    state = await world.state()
    assert state.stage is Stage.AWAITING_PHOTO
    assert state.binding_id == brand.bindings[f"post-{ACCOUNT}"]
    (row,) = await world.interactions()
    assert (row["id"], row["bot_responded"]) == (state.interaction_id, True)
    assert row["interaction_type"] == "comment"
    username = await world.value("SELECT platform_username FROM public.social_conversations")
    assert username == "ana"


async def test_comments_that_get_no_answer_say_why(world: World, brand: Brand) -> None:
    await world.handle(world.comment(is_own=True))
    assert await world.last() == ("skipped", "our own comment")
    await world.handle(world.comment("so pretty"))
    assert await world.last() == ("completed", "no keyword")
    await world.handle(world.comment(post_ref=f"bare-{ACCOUNT}"))
    assert (await world.last())[0] == "skipped"
    await world.handle(world.comment(at=world.clock.now() - timedelta(days=8)))
    assert "seven days" in (await world.last())[1]
    assert await world.queued() == []
    assert await world.interactions() == []


async def test_the_comment_decides_the_language(world: World, brand: Brand) -> None:
    await world.say(world.comment("bitte anprobieren"))
    assert "automatische Anprobe-Assistent" in world.platform.texts[0]
    assert (await world.state()).language == "de"
    await world.say(world.photo())
    assert "Foto ist da" in world.platform.texts[-1]


async def test_a_photo_without_words_leaves_the_language_open(world: World, brand: Brand) -> None:
    await world.say(world.photo())
    assert "Lovely photo" in world.platform.texts[-1]
    await world.say(world.message("anprobieren bitte"))
    assert "Welches Teil" in world.platform.texts[-1]


async def test_paused_try_on_is_not_promised_and_the_owner_hears_of_it_once(
    world: World, brand: Brand
) -> None:
    await world.settings(brand.account, tryon_enabled=False)
    await world.say(world.comment(), world.comment(person_ref="other"))
    assert world.platform.sent == []
    assert await world.notified() == ["tryon_paused"]
    await world.say(world.message("try on"))
    assert "taking a break" in world.platform.texts[-1]
    assert await world.notified() == ["tryon_paused"]
    world.clock.advance(timedelta(days=1))
    await world.say(world.message("try on"))
    assert await world.notified() == ["tryon_paused"] * 2, "it still is: once a day"


# --- Who is who ---


async def test_a_stranger_who_writes_while_a_private_reply_is_in_the_air_waits(
    world: World, brand: Brand
) -> None:
    world.platform.script.append(ConnectionError("the answer never came"))
    await world.handle(world.comment())
    await world.deliver()
    assert await world.queued("unknown") == ["greeting"]
    await world.handle(world.photo())
    assert (await world.last())[0] == "failed"
    assert await world.charges() == []
    await world.later(timedelta(seconds=20))  # reconciled: asking again is safe
    await world.later(timedelta(seconds=20))
    assert await world.queued("sent") == ["greeting"]
    await world.later(timedelta(seconds=5))
    assert await world.charges() == ["reserved"]
    assert (await world.state()).stage is Stage.GENERATING


async def test_a_stranger_waits_for_the_echo_of_a_private_reply_that_had_arrived(
    world: World, brand: Brand
) -> None:
    again = Refused(Action.ALREADY_DONE, "replied_before", "a comment has one private reply")
    world.platform.script += [ConnectionError("the answer never came"), again]
    await world.handle(world.comment(person_ref="scoped-otherwise"))
    await world.deliver()
    await world.later(timedelta(seconds=20))
    await world.later(timedelta(seconds=20))
    assert await world.failures() == ["already_done"]
    await world.handle(world.photo())
    assert (await world.last())[0] == "failed"
    await world.handle(world.echo(world.platform.sent[0].text))
    await world.later(timedelta(seconds=5))
    assert await world.charges() == ["reserved"]


async def test_the_wait_for_attribution_ends(world: World, brand: Brand) -> None:
    world.platform.script.append(ConnectionError("the answer never came"))
    await world.handle(world.comment())
    await world.deliver()
    await world.handle(world.message("hello", at=world.clock.now() - timedelta(minutes=3)))
    assert (await world.last())[0] == "completed"


# --- Photos ---


async def test_a_photo_reserves_the_price_and_starts_the_job(world: World, brand: Brand) -> None:
    await thread_open(world)
    photo = world.photo()
    await world.say(photo, photo)
    (job,) = await world.sql("SELECT * FROM internal.jobs")
    assert job["kind"] == "tryon"
    assert job["payload"]["photo_url"] == PHOTO.url
    assert await world.charges() == ["reserved"]
    assert "Got your photo" in world.platform.texts[-1]
    (row,) = await world.interactions()
    assert row["user_sent_photo"]


async def test_a_second_photo_while_generating_is_asked_to_wait(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.say(world.photo(), world.photo())
    assert await world.charges() == ["reserved"]
    assert "is next" in world.platform.texts[-1]


async def test_words_right_before_their_photo_are_not_answered_for_themselves(
    world: World, brand: Brand
) -> None:
    await thread_open(world)
    await world.handle(world.message("here's my photo"))
    while await world.outbox.run_once():
        pass
    assert await world.queued() == ["ask_photo_again"], "it waits a moment"
    await world.say(world.photo())
    assert await world.queued("sent") == ["greeting", "generating"]
    await world.handle(world.message("try on please"))
    assert await world.queued() == ["still_generating"], "it is the garment under way"


async def test_a_nudge_leaves_once_no_photo_came(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.handle(world.message("hm?"))
    world.clock.advance(outgoing.DEBOUNCE)
    while await world.outbox.run_once():
        pass
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]


async def test_one_word_does_not_fix_the_language(world: World, brand: Brand) -> None:
    await world.say(world.comment("try on"))
    await world.say(world.message("kann ich das anprobieren bitte"))
    assert (await world.state()).language == "de"
    await world.say(world.photo())
    assert "Foto ist da" in world.platform.texts[-1]


async def test_the_language_follows_the_last_clear_message(world: World, brand: Brand) -> None:
    await thread_open(world)
    for said, language, answer in (
        ("can I see how this looks?", "en", "I can only work with a photo"),
        ("Kann ich ein altes Foto nehmen?", "de", "Ich brauche ein Foto"),
        ("ok 😍", "de", "😊 Ich freue mich"),
        ("thank you so much", "en", "😊 I'm looking forward"),
    ):
        await world.say(world.message(said))
        assert (await world.state()).language == language
        assert world.platform.texts[-1].startswith(answer)
    await world.say(world.photo())
    assert world.platform.texts[-1].startswith("Got your photo")
    await world.say(world.comment("das würde ich gerne anprobieren"))
    assert "automatische Anprobe-Assistent" in world.platform.texts[-1]
    assert (await world.state()).language == "de"
    await world.say(world.comment("try on"))
    assert "automatische Anprobe-Assistent" in world.platform.texts[-1], "unclear: as before"


async def test_a_comment_under_another_id_changes_the_language_too(
    world: World, brand: Brand
) -> None:
    await world.say(world.message("Hello, could you tell me more about this please?"))
    assert (await world.state()).language == "en"
    await world.say(world.comment("Kann ich das bitte anprobieren?", person_ref="at the comment"))
    assert (await world.state()).language == "de"


async def test_a_late_reply_to_a_comment_changes_no_language(world: World, brand: Brand) -> None:
    await world.handle(world.comment("das würde ich gerne anprobieren"))
    world.clock.advance(timedelta(seconds=1))
    await world.handle(world.message("Hello, do you have this dress in green?"))
    await world.deliver()
    assert (await world.state()).language == "en"


@pytest.mark.parametrize("late", ["comment", "message"])
async def test_what_was_said_before_and_comes_late_changes_no_language(
    world: World, brand: Brand, late: str
) -> None:
    before = world.clock.now()
    world.clock.advance(timedelta(seconds=30))
    await world.say(world.message("Hello, do you have this dress in green?"))
    told = world.comment if late == "comment" else world.message
    await world.say(told("das würde ich gerne anprobieren", at=before))
    assert (await world.state()).language == "en"
    assert keywords.language_of(world.platform.texts[-1]) == "en"


async def test_a_date_in_the_future_does_not_fix_the_language(world: World, brand: Brand) -> None:
    ahead = world.clock.now() + timedelta(days=300)
    await world.say(world.message("Hello, do you have this dress in green?", at=ahead))
    world.clock.advance(timedelta(seconds=1))
    await world.say(world.message("Kann ich das bitte anprobieren?"))
    assert (await world.state()).language == "de"


async def test_a_tap_on_our_own_button_changes_no_language(world: World, brand: Brand) -> None:
    await world.say(world.comment("das möchte ich anprobieren"))
    await world.say(world.message("Not quite what I want", button=Button.AGAIN))
    assert (await world.state()).language == "de"


async def test_the_photo_that_came_before_the_first_was_taken_back_is_dressed(
    world: World, brand: Brand
) -> None:
    await thread_open(world)
    regretted, skipped, photo = world.photo(), world.photo(), world.photo()
    await world.say(regretted, skipped, photo)
    unsent = MessageUnsent(ACCOUNT, ANA, regretted.message_ref, world.clock.now())
    await world.say(unsent, unsent)
    state = await world.state()
    assert (state.stage, state.photo_ref) == (Stage.GENERATING, photo.message_ref)
    jobs = await world.sql("SELECT payload ->> 'message_ref' AS m FROM internal.jobs ORDER BY id")
    assert [job["m"] for job in jobs] == [regretted.message_ref, photo.message_ref]
    assert len(await world.charges()) == 2, "the first one's job will give its charge back"
    assert len(await world.interactions()) == 1
    assert (await world.queued("sent"))[-1] == "generating"


async def test_of_two_photos_taken_back_none_is_dressed(world: World, brand: Brand) -> None:
    await thread_open(world)
    first, second = world.photo(), world.photo()
    await world.say(first, second)
    for photo in (second, first):
        await world.say(MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now()))
    assert await world.charges() == ["reserved"]
    assert (await world.state()).stage is Stage.AWAITING_PHOTO


async def test_a_photo_without_a_garment_asks_which(world: World, brand: Brand) -> None:
    await world.say(world.photo())
    assert "Which piece" in world.platform.texts[-1]
    assert await world.charges() == []


async def test_a_shared_post_chooses_the_garment(world: World, brand: Brand) -> None:
    shared = Attachment(AttachmentKind.POST, "", f"second-{ACCOUNT}")
    await world.say(world.message(attachments=(shared,)))
    state = await world.state()
    assert state.binding_id == brand.bindings[f"second-{ACCOUNT}"]
    assert state.stage is Stage.AWAITING_PHOTO
    (row,) = await world.interactions()
    assert row["interaction_source"] == "direct_message"


async def test_asking_again_for_the_same_garment_is_one_wish(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.say(world.message("try it on please"), world.message("try on!!"))
    assert len(await world.interactions()) == 1


async def test_used_up_credits_have_their_answer_and_the_owner_hears_once_a_week(
    world: World, brand: Brand
) -> None:
    await world.sql("UPDATE public.workspace_quotas SET weekly_credits_used = 9999")
    await thread_open(world)
    await world.say(world.photo(), world.photo())
    assert await world.charges() == []
    assert await world.notified() == ["credits_exhausted"]
    assert "run out" in world.platform.texts[-1]
    state = await world.state()
    assert (state.stage, state.photo_ref) == (Stage.AWAITING_PHOTO, "")
    world.clock.advance(timedelta(days=7))
    await world.sql("UPDATE public.workspace_quotas SET weekly_credits_limit = 100")
    await world.say(world.photo())
    assert await world.notified() == ["credits_exhausted", "credits_exhausted"]
    await world.grant_credits(brand.workspace_id, Credits(383).to_micro_units().value)
    await world.say(world.photo())
    assert await world.charges() == ["reserved", "reserved"], "the week's rest, then the balance"
    assert (await world.state()).stage is Stage.GENERATING


async def test_a_closed_meter_is_a_pause(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.sql("UPDATE public.billing_meters SET is_active = false WHERE slug = 'tryon'")
    await world.say(world.photo())
    assert "taking a break" in world.platform.texts[-1]
    assert (await world.state()).stage is Stage.AWAITING_PHOTO


# --- Stop, start, a person ---


async def test_stop_silences_everything_until_start(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.handle(world.photo(), world.message("STOP"))
    assert await world.queued() == ["stopped"]
    assert await world.queued("cancelled") == ["generating"]
    await world.deliver()
    await world.say(world.photo(), world.message("try on"), world.message("hello?"))
    assert world.platform.texts[-1].startswith("Alright")
    await world.say(world.comment())
    assert await world.last() == (
        "skipped",
        "the bot is silent in the conversation with this person",
    )
    await world.say(world.message("start"))
    assert world.platform.texts[-1].startswith("Welcome back")
    await world.say(world.comment())
    assert "automatic try-on assistant" in world.platform.texts[-1]


async def test_asking_for_a_person_calls_the_owner_each_time(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.say(world.message("HUMAN"), world.message("human"), world.message("hello?"))
    assert await world.notified() == ["human_wanted"]
    assert "called a person" in world.platform.texts[-1]
    await world.sql(
        "UPDATE public.social_conversations"
        ' SET conversation_state = conversation_state || \'{"handler": "bot"}\''
    )
    await world.say(world.message("human"))
    assert await world.notified() == ["human_wanted", "human_wanted"]


async def test_what_was_being_tried_when_the_person_said_stop_does_not_leave_later(
    world: World, brand: Brand
) -> None:
    await thread_open(world)
    await world.handle(world.message("hm?"))
    await world.sql(
        "UPDATE internal.outbox SET state = 'sending', leased_until = now() WHERE state = 'queued'"
    )
    await world.handle(world.message("stop"))
    await world.sql("UPDATE internal.outbox SET state = 'queued' WHERE state = 'sending'")
    await world.deliver()
    assert await world.queued("sent") == ["greeting", "stopped"]
    assert "silenced" in await world.failures()


# --- Echoes ---


async def test_the_echo_of_a_recorded_send_changes_nothing(world: World, brand: Brand) -> None:
    await thread_open(world)
    mid = await world.value("SELECT platform_message_id FROM public.social_messages")
    await world.handle(world.echo(world.platform.texts[0], message_ref=mid))
    assert (await world.last())[0] == "skipped"
    assert (await world.state()).handler is Handler.BOT


async def test_a_person_of_the_brand_writing_silences_the_bot(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.handle(world.photo())
    await world.handle(world.echo("Hi Ana, Nora here. Shall I help?"))
    assert (await world.state()).handler is Handler.HUMAN
    assert await world.queued() == []
    assert await world.queued("cancelled") == ["generating"]
    await world.say(world.photo(), world.message("try on"), world.message("human"))
    assert len(world.platform.sent) == 1, "only the greeting of before"
    await world.say(world.message("stop"))
    assert (await world.state()).opted_out
    assert len(world.platform.sent) == 1, "a stop is obeyed, and not talked about"


AWAY = "Thanks for your message! We are back on Monday."


async def test_an_automatic_reply_of_the_brand_does_not_silence_the_bot(
    world: World, brand: Brand
) -> None:
    await thread_open(world)
    await world.handle(world.photo())
    await world.handle(world.echo(AWAY, at=world.clock.now() + timedelta(seconds=1)))
    assert "automatic" in (await world.last())[1]
    assert (await world.state()).handler is Handler.BOT
    assert await world.queued() == ["generating"]
    assert await world.notified() == []
    await world.handle(world.message("hi", person_ref="ben"))
    await world.handle(world.echo(AWAY, person_ref="ben"))
    assert (await world.state("ben")).handler is Handler.BOT, "slow, but the very same words"
    await world.handle(world.message("hi", person_ref="eva"), world.echo("Hi!", person_ref="ben"))
    await world.handle(world.echo("Hi!", person_ref="eva"))
    assert (await world.state("eva")).handler is Handler.HUMAN, "everybody says hi"


async def test_the_owner_hears_that_a_person_took_over(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.say(world.echo("Nora here!"), world.echo("Which size do you need?"))
    assert await world.notified() == ["taken_over"]


async def test_an_echo_from_before_the_hand_back_takes_nothing_over(
    world: World, brand: Brand
) -> None:
    await thread_open(world)
    await world.handle(world.echo("Nora here!"))
    world.clock.advance(timedelta(hours=1))
    thread = await world.value("SELECT id FROM public.social_conversations")
    async with world.database.tx(SYSTEM) as tx:
        await conversations.set_handler(tx, thread, Handler.BOT, now=world.clock.now())
    old = world.clock.now() - timedelta(minutes=20)
    await world.handle(world.echo("All yours again, bot", at=old))
    assert (await world.state()).handler is Handler.BOT
    await world.handle(world.echo("Nora once more"))
    assert (await world.state()).handler is Handler.HUMAN


async def test_an_echo_that_overtakes_the_answer_waits(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.handle(world.message("hm?"))
    (text,) = [
        row["text"]
        for row in await world.sql(
            "UPDATE internal.outbox SET state = 'sending', worker_id = 'w', leased_until = $1"
            " WHERE state = 'queued' AND payload ->> 'kind' = 'text'"
            " RETURNING payload ->> 'text' AS text",
            world.clock.now() + timedelta(minutes=1),
        )
    ]
    await world.handle(world.echo(text))
    assert (await world.last())[0] == "failed", "it comes back"
    assert (await world.state()).handler is Handler.BOT
    await world.handle(world.echo("Something else entirely"))
    assert (await world.state()).handler is Handler.HUMAN, "not our words: a person"


async def test_an_echo_settles_a_send_in_doubt(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.handle(world.message("hm?"))
    world.platform.script.append(ConnectionError("the answer never came"))
    await world.deliver()
    assert await world.queued("unknown") == ["ask_photo_again"]
    await world.handle(world.echo(world.platform.texts[-1], message_ref="mid.echo"))
    assert await world.queued("unknown") == []
    assert (await world.state()).handler is Handler.BOT
    mids = await world.sql("SELECT platform_message_id AS mid FROM public.social_messages")
    assert "mid.echo" in [row["mid"] for row in mids]
    await world.later(timedelta(minutes=1))
    assert world.platform.texts.count(world.platform.texts[-1]) == 1, "not sent again"
    await world.handle(world.echo(world.platform.texts[-1], message_ref="mid.echo"))
    assert (await world.last())[0] == "skipped", "the same echo again"


async def test_the_echo_of_a_picture_in_doubt(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.handle(world.message("hm?"))
    await world.sql(
        "UPDATE internal.outbox SET state = 'unknown',"
        ' payload = payload || \'{"kind": "image", "storage_key": "a.jpg", "text": ""}\''
        " WHERE state = 'queued' AND payload ->> 'kind' = 'text'"
    )
    picture = Attachment(AttachmentKind.IMAGE, "https://x.example/1.jpg")
    await world.handle(world.echo(attachments=(picture,)))
    assert (await world.state()).handler is Handler.BOT
    await world.handle(world.echo(attachments=(picture,)))
    assert (await world.state()).handler is Handler.HUMAN, "the second picture was not ours"


async def test_the_echo_of_a_private_reply_in_doubt_links_the_comment(
    world: World, brand: Brand
) -> None:
    world.platform.script.append(ConnectionError("the answer never came"))
    await world.say(world.comment(person_ref="scoped-otherwise"))
    await world.handle(world.echo(world.platform.texts[0]))
    state = await world.state()
    assert (state.handler, state.stage) == (Handler.BOT, Stage.AWAITING_PHOTO)
    assert state.interaction_id == (await world.interactions())[0]["id"]
    assert await world.queued("sent") == ["greeting"]


async def test_of_several_private_replies_in_doubt_the_commenter_s_own_is_meant(
    world: World, brand: Brand
) -> None:
    world.platform.script += [ConnectionError("lost")] * 2
    await world.say(world.comment(person_ref="ben", username="ben"), world.comment(username="ana"))
    await world.handle(world.echo(world.platform.texts[0]))
    ben, ana = await world.interactions()
    assert (await world.state()).interaction_id == ana["id"]
    await world.handle(world.echo(world.platform.texts[0], person_ref="ben"))
    assert (await world.state("ben")).interaction_id == ben["id"]


async def test_where_it_would_be_a_guess_the_platform_is_asked(world: World, brand: Brand) -> None:
    world.platform.script += [ConnectionError("lost")] * 2
    await world.say(
        world.comment(person_ref="ben", username="ben"),
        world.comment(person_ref="eva", username="eva"),
    )
    echo = world.echo(world.platform.texts[0])
    await world.handle(echo)
    photo = world.photo()
    await world.handle(photo)
    assert (await world.last())[0] == "failed", "the thread's owner waits for the answer"
    await world.deliver()
    assert await world.queued("unknown") == ["greeting", "greeting"], "no answer, no guess"
    world.platform.addressees[echo.message_ref] = "eva"
    world.clock.advance(timedelta(seconds=5))
    await world.deliver()
    eva = (await world.interactions())[1]
    assert (await world.state()).interaction_id == eva["id"]
    name = await world.value("SELECT platform_username FROM public.social_conversations")
    assert name == "eva"
    while await world.inbox.run_once():
        pass
    assert (await world.state()).photo_ref == photo.message_ref


async def test_an_echo_after_already_done_still_links(world: World, brand: Brand) -> None:
    from selify.messaging.ports import Action, Refused

    world.platform.script += [
        ConnectionError("lost"),
        Refused(Action.ALREADY_DONE, "already_replied", "This comment has had its reply."),
    ]
    await world.say(world.comment())
    await world.later(timedelta(seconds=20))
    await world.later(timedelta(seconds=20))
    await world.later(timedelta(seconds=20))
    assert await world.failures() == ["already_done"]
    await world.handle(world.echo(world.platform.texts[0]))
    assert (await world.state()).stage is Stage.AWAITING_PHOTO
    assert await world.queued("sent") == ["greeting"]


async def test_an_echo_waits_while_its_reply_is_taken_up_again(
    world: World, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and our word a worker claims the send: the echo comes back, unhandled."""
    world.platform.script.append(ConnectionError("lost"))
    await world.say(world.comment())
    confirm = outbox.confirm

    async def claimed(tx: Tx, delivery_id: UUID, **more: Any) -> outbox.OutboxMessage | None:
        await tx.execute(
            "UPDATE internal.outbox SET state = 'sending', leased_until = now() WHERE id = $1",
            delivery_id,
        )
        return await confirm(tx, delivery_id, **more)

    monkeypatch.setattr(outbox, "confirm", claimed)
    await world.handle(world.echo(world.platform.texts[0]))
    assert (await world.last())[0] == "failed", "it is tried again in a moment"
    monkeypatch.undo()
    await world.later(timedelta(seconds=3))
    assert (await world.last())[1] == "our own message"
    assert (await world.state()).handler is Handler.BOT
    assert await world.queued("sent") == ["greeting"]


async def test_what_the_platform_was_asked_is_asked_again_while_its_reply_moves(
    world: World, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ben", "eva"):
        await world.handle(world.comment(person_ref=f"at {name}", username=name))
        await world.put_in_doubt()
    echo = world.echo(world.platform.texts[0], person_ref="of eva")
    world.platform.addressees[echo.message_ref] = "eva"
    await world.handle(echo)
    confirm = outbox.confirm

    async def claimed(tx: Tx, delivery_id: UUID, **more: Any) -> outbox.OutboxMessage | None:
        await tx.execute(
            """
            UPDATE internal.outbox SET state = 'sending', leased_until = $2 WHERE id = $1
            """,
            delivery_id,
            world.clock.now() + timedelta(seconds=1),
        )
        return await confirm(tx, delivery_id, **more)

    monkeypatch.setattr(outbox, "confirm", claimed)
    await world.outbox.run_once()
    open_questions = "SELECT state FROM internal.outbox WHERE channel = 'echoes'"
    assert await world.value(open_questions) == "queued"
    monkeypatch.undo()
    world.clock.advance(timedelta(seconds=3))
    await world.sql("UPDATE internal.outbox SET state = 'unknown' WHERE state = 'sending'")
    await world.outbox.run_once()
    assert await world.value(open_questions) == "sent"
    assert await world.queued("sent") == ["greeting"]


async def test_an_echo_under_another_id_is_still_ours(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.handle(world.echo(world.platform.texts[0], message_ref="mid.of-the-echo"))
    assert (await world.state()).handler is Handler.BOT


# --- Taking back, editing, reacting ---


async def test_unsending_a_photo_deletes_text_and_files(world: World, brand: Brand) -> None:
    await thread_open(world)
    photo = world.photo(text="this is me at home")
    await world.handle(photo)
    await world.handle(MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now()))
    row = (
        await world.sql(
            "SELECT * FROM public.social_messages WHERE platform_message_id = $1",
            photo.message_ref,
        )
    )[0]
    assert (row["message_text"], row["attachments"], row["message_type"]) == (None, [], "unsent")
    last = await world.value("SELECT last_message_text FROM public.social_conversations")
    assert last == "[unsent]"
    due = await world.sql("SELECT object_key FROM internal.retention WHERE delete_after < now()")
    assert {key["object_key"].split("/")[2] for key in due} == {"photos", "results"}
    await world.handle(MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now()))
    assert (await world.last())[0] == "completed"


async def test_what_was_unsent_before_it_arrived_stays_away(world: World, brand: Brand) -> None:
    await thread_open(world)
    photo = world.photo(text="a secret")
    await world.handle(MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now()))
    await world.handle(photo)
    assert (await world.last())[0] == "skipped"
    assert await world.charges() == []
    edit = MessageEdited(ACCOUNT, ANA, photo.message_ref, "the secret again", world.clock.now())
    await world.handle(edit)
    texts = await world.sql("SELECT message_text AS t FROM public.social_messages")
    assert not [row for row in texts if row["t"] and "secret" in row["t"]]


async def kept_of(world: World, word: str) -> list[str]:
    """Where the word can still be read (what leaves and what the database counts left aside)."""
    tables = ("public.webhook_events", "public.instagram_message_queue", "public.social_messages")
    tables += ("public.social_conversations", "public.bot_interactions", "internal.jobs")
    found = [
        await world.sql(f"SELECT '{t}' AS t FROM {t} r WHERE r::text LIKE $1", f"%{word}%")
        for t in tables
    ]
    return [row["t"] for rows in found for row in rows]


@pytest.mark.parametrize("order", ["first", "between", "last"])
async def test_nothing_keeps_what_was_taken_back(world: World, brand: Brand, order: str) -> None:
    await thread_open(world)
    photo = world.photo(text="a secret")
    edit = MessageEdited(ACCOUNT, ANA, photo.message_ref, "another secret", world.clock.now())
    events = [photo, edit]
    unsent = MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now())
    events.insert(["first", "between", "last"].index(order), unsent)
    await world.handle(*events)
    assert await kept_of(world, "secret") == []
    assert await kept_of(world, PHOTO.url) == []


async def test_what_an_unknown_account_s_shopper_took_back_is_not_kept_either(world: World) -> None:
    message = world.message("a secret")
    await world.handle(message)
    await world.handle(MessageUnsent(ACCOUNT, ANA, message.message_ref, world.clock.now()))
    assert await kept_of(world, "secret") == []


async def test_what_was_taken_back_is_nothing_to_read_and_opens_no_window(
    world: World, brand: Brand
) -> None:
    now = world.clock.now()
    await world.handle(MessageUnsent(ACCOUNT, ANA, "mid.theirs", now))
    await world.handle(MessageUnsent(ACCOUNT, ANA, "mid.ours", now, is_own=True))
    (thread,) = await world.sql("SELECT * FROM public.social_conversations")
    assert (thread["message_count"], thread["unread_count"]) == (2, 0)
    async with world.database.tx(SYSTEM) as tx:
        assert await conversations.window_open_until(tx, thread["id"]) is None
    senders = await world.sql("SELECT sender_platform_id AS s FROM public.social_messages")
    assert {row["s"] for row in senders} == {ANA, ACCOUNT}


async def test_the_conversation_is_locked_before_what_hangs_on_it(
    world: World, brand: Brand
) -> None:
    """Else an unsend and its own late message could wait for each other."""
    photo = world.photo(text="a secret")
    await world.handle(photo)
    async with world.database.tx(SYSTEM) as tx:
        await conversations.find(tx, brand.account.id, ANA)
        await world.arrive(MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now()))
        unsending = asyncio.create_task(world.inbox.run_once())
        while not await world.value("SELECT true FROM pg_locks WHERE NOT granted LIMIT 1"):
            pass
        await tx.execute("UPDATE public.webhook_events SET error_message = NULL")
    await unsending
    assert await kept_of(world, "secret") == []


async def test_the_photo_after_one_taken_back_need_not_wait(world: World, brand: Brand) -> None:
    await thread_open(world)
    regretted, photo = world.photo(), world.photo()
    await world.handle(regretted)
    await world.handle(MessageUnsent(ACCOUNT, ANA, regretted.message_ref, world.clock.now()))
    await world.handle(photo)
    assert (await world.state()).photo_ref == photo.message_ref
    assert len(await world.charges()) == 2, "the first one's job will give its charge back"


async def test_one_known_only_by_what_they_took_back_may_still_be_a_reader(
    world: World, brand: Brand
) -> None:
    world.platform.script += [ConnectionError("lost")]
    await world.say(world.comment(username="ana"))
    await world.handle(MessageUnsent(ACCOUNT, ANA, "mid.gone", world.clock.now()))
    await world.handle(world.photo())
    assert (await world.last())[0] == "failed", "it waits for the private reply in the air"


async def test_the_trigger_s_own_words_go_with_it(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.say(world.message("stop"), world.message("start"))
    wish = world.message("try on, my name is Ana Secret")
    await world.handle(wish)
    await world.handle(MessageUnsent(ACCOUNT, ANA, wish.message_ref, world.clock.now()))
    assert not [
        row for row in await world.interactions() if "Secret" in (row["original_message"] or "")
    ]


async def test_an_edit_before_its_message_waits_for_it(world: World, brand: Brand) -> None:
    message = world.message("the red one")
    edit = MessageEdited(ACCOUNT, ANA, message.message_ref, "the blue one", world.clock.now())
    await world.handle(edit)
    assert (await world.last())[0] == "failed"
    await world.handle(message)
    world.clock.advance(timedelta(seconds=6))
    await world.inbox.run_once()
    assert await world.value("SELECT message_text FROM public.social_messages") == "the blue one"
    assert (
        await world.value("SELECT last_message_text FROM public.social_conversations")
        == "the blue one"
    )


async def test_an_older_edit_that_comes_late_changes_nothing(world: World, brand: Brand) -> None:
    message = world.message("the red one")
    await world.handle(message)
    for number, text in ((2, "the green one"), (1, "the blue one"), (3, "the black one")):
        edit = MessageEdited(ACCOUNT, ANA, message.message_ref, text, world.clock.now(), number)
        await world.handle(edit)
        said = await world.value("SELECT message_text FROM public.social_messages")
        assert said == ("the black one" if number == 3 else "the green one")


async def test_reactions_are_idempotent_and_can_be_taken_back(world: World, brand: Brand) -> None:
    message = world.message("hello")
    await world.handle(message)

    async def react(emoji: str, actor: str = ANA) -> list[str]:
        await world.handle(
            ReactionChanged(ACCOUNT, actor, message.message_ref, emoji, world.clock.now())
        )
        reactions = await world.value("SELECT reactions FROM public.social_messages")
        return [r["emoji"] for r in reactions]

    assert await react("❤️") == ["❤️"]
    assert await react("❤️") == ["❤️"]
    assert sorted(await react("😂", ACCOUNT)) == sorted(["❤️", "😂"])
    assert await react("🔥") in (["😂", "🔥"], ["🔥", "😂"])
    assert await react("") == ["😂"]
    assert await react("") == ["😂"]
    await world.handle(
        ReactionChanged(ACCOUNT, ANA, "nobody", "❤️", world.clock.now() - timedelta(hours=1))
    )
    assert (await world.last())[0] == "skipped"


# --- Taps and the rest ---


async def test_a_tap_is_a_message_even_when_it_names_ours(world: World, brand: Brand) -> None:
    await thread_open(world)
    ours = await world.value("SELECT platform_message_id FROM public.social_messages")
    tap = ButtonTapped(ACCOUNT, ANA, Button.STOP, "Stop", world.clock.now(), message_ref=ours)
    await world.handle(tap, tap)
    assert (await world.state()).opted_out
    assert await world.value("SELECT count(*) FROM public.social_messages") == 2


async def test_what_needs_no_answer_says_so(world: World, brand: Brand) -> None:
    await world.handle(NothingToDo(ACCOUNT, "a story mention"))
    assert await world.last() == ("skipped", "a story mention")
    await world.handle(MessageSeen(ACCOUNT, ANA, "mid", world.clock.now()))
    assert (await world.last())[0] == "completed"


async def test_counters_of_the_thread_match_its_messages(world: World, brand: Brand) -> None:
    await thread_open(world)
    await world.say(world.message("hm"), world.message("hm?"), world.photo())
    row = (await world.sql("SELECT * FROM public.social_conversations"))[0]
    counted = await world.sql(
        "SELECT count(*) AS n, count(*) FILTER (WHERE sender_platform_id = $1 AND read_at IS NULL)"
        " AS unread FROM public.social_messages",
        ANA,
    )
    assert (row["message_count"], row["unread_count"]) == tuple(counted[0])


# --- Nobody's events ---


async def test_events_of_an_unknown_account_wait_for_it(world: World) -> None:
    await world.handle(world.comment(), world.message("hello"))
    assert {status for status, _ in await world.outcomes()} == {"skipped"}
    parked = await world.sql("SELECT * FROM public.instagram_message_queue")
    assert [row["status"] for row in parked] == ["pending", "pending"]
    owner, workspace_id = await world.workspace("Late")
    account = await world.connect(workspace_id, owner)
    while await world.inbox.run_once():
        pass
    assert await world.value("SELECT message_text FROM public.social_messages") == "hello"
    rows = await world.sql("SELECT status, connected_account_id AS a FROM public.webhook_events")
    assert {row["a"] for row in rows} == {account.id}
    parked = await world.sql("SELECT * FROM public.instagram_message_queue")
    assert [row["status"] for row in parked] == ["completed", "completed"]


async def test_what_is_taken_back_goes_even_when_the_account_is_disconnected(
    world: World, brand: Brand
) -> None:
    message = world.message("a secret")
    await world.handle(message)
    await world.sql(
        "UPDATE public.connected_social_accounts"
        " SET status = 'disconnected', disconnected_at = now(), access_token = ''"
    )
    await world.handle(MessageUnsent(ACCOUNT, ANA, message.message_ref, world.clock.now()))
    assert await world.value("SELECT message_text FROM public.social_messages") is None


async def test_what_comes_while_an_account_is_disconnected_is_not_answered_when_it_comes_back(
    world: World, brand: Brand
) -> None:
    await world.sql(
        "UPDATE public.connected_social_accounts"
        " SET status = 'disconnected', disconnected_at = now(), access_token = ''"
    )
    await world.handle(world.message("still there?"))
    assert await world.outcomes() == [("skipped", {"reason": "the account is disconnected"})]
    assert await world.value("SELECT count(*) FROM public.instagram_message_queue") == 0
