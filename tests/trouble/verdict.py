"""What must be true once the dust has settled, from both sides: what the shoppers' phones show, and
what the product's own books say.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.infra.engines import Colour, colour_of
from tests.trouble.shoppers import Kind, Shopper

from selify import billing
from selify.core.clock import SystemClock
from selify.core.database import Actor, Database, Tx
from selify_sandbox.instagram.driver import Message, SandboxDriver

ACTOR = Actor.system("verdict")
COLOUR_TOLERANCE = 5
ONE_PICTURE = {
    Kind.PLAIN,
    Kind.TWO_COMMENTS,
    Kind.TEXT_FIRST,
    Kind.NO_PICTURE,
    Kind.SHARES_POST,
}
PICTURES: dict[Kind, range] = {
    **dict.fromkeys(ONE_PICTURE, range(1, 2)),
    # The second one waits for the first to end, and is dressed then.
    Kind.PHOTO_TWICE: range(2, 3),
    # The one taken back may have been finished before.
    Kind.TAKES_BACK: range(1, 3),
    Kind.STOPS: range(1),
    Kind.NOBODY_THERE: range(1),
    Kind.ANOTHER_TRY: range(2, 3),
}
_UNSETTLED = """
    SELECT (SELECT count(*) FROM public.webhook_events
             WHERE status IN ('pending', 'processing')
                OR status = 'failed' AND retry_count < max_retries)
         + (SELECT count(*) FROM internal.outbox WHERE state IN ('queued', 'sending', 'unknown'))
         + (SELECT count(*) FROM internal.jobs WHERE state IN ('queued', 'running'))
"""


async def unsettled(database: Database) -> int:
    """How many rows are still on their way."""
    async with database.tx(ACTOR) as tx:
        return int(await tx.fetch_value(_UNSETTLED))


@dataclass(slots=True)
class Verdict:
    """``faults`` is empty when all is well; ``figures`` is what happened."""

    faults: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def demand(self, condition: object, fault: str) -> None:
        if not condition:
            self.faults.append(fault)


async def judge(shoppers: Sequence[Shopper], phone: SandboxDriver, database: Database) -> Verdict:
    """Look at everything."""
    verdict = Verdict()
    threads = {
        shopper.name: await phone.messages(shopper.thread) if shopper.thread else []
        for shopper in shoppers
    }
    for shopper in shoppers:
        await _judge_phone(verdict, shopper, threads[shopper.name], phone)
    async with database.tx(ACTOR) as tx:
        await _judge_inbox(verdict, tx, shoppers, threads)
        await _judge_queues(verdict, tx, shoppers)
        await _judge_answers(verdict, tx, shoppers, threads)
        await _judge_conversations(verdict, tx, shoppers)
        await _judge_money(verdict, tx, shoppers, threads)
        verdict.figures |= await _figures(tx)
    verdict.figures["pictures received"] = sum(map(_pictures, threads.values()))
    return verdict


# What the shopper sees ---------------------------------------------------------------------------


async def _judge_phone(
    verdict: Verdict, shopper: Shopper, thread: list[Message], phone: SandboxDriver
) -> None:
    who = f"{shopper.name} ({shopper.kind})"
    verdict.demand(not shopper.trouble, f"{who} gave up: {shopper.trouble}")
    pictures = _pictures(thread)
    verdict.demand(pictures in PICTURES[shopper.kind], f"{who} received {pictures} pictures")
    replies = Counter(m.private_reply_to for m in thread if m.private_reply_to)
    verdict.demand(replies == Counter(shopper.comments), f"{who}: private replies {dict(replies)}")
    _judge_order(verdict, who, thread)
    await _judge_colours(verdict, who, shopper, thread, phone)


def _judge_order(verdict: Verdict, who: str, thread: list[Message]) -> None:
    """Greeting first; every picture is followed by its text and its question, in this order."""
    said = [_purpose(m) for m in thread if m.from_brand]
    verdict.demand(said and said[0] == "greeting", f"{who}: the first word was {said[:1]}")
    story = [purpose for purpose in said if purpose in ("picture", "result", "feedback")]
    expected = ["picture", "result", "feedback"] * (len(story) // 3)
    # Two try-ons may not overlap, so their answers come in blocks.
    verdict.demand(story == expected, f"{who}: answers out of order: {story}")
    if "stopped" in said:
        verdict.demand(said[-1] == "stopped", f"{who}: not silent after STOP: {said}")


def _purpose(message: Message) -> str:
    if message.pictures:
        return "picture"
    for words, purpose in (
        ("automatic try-on assistant", "greeting"),
        ("Here you are", "result"),
        ("How do you like it?", "feedback"),
        ("Reply START", "stopped"),
    ):
        if words in message.text:
            return purpose
    return "other"


async def _judge_colours(
    verdict: Verdict, who: str, shopper: Shopper, thread: list[Message], phone: SandboxDriver
) -> None:
    """Each picture was made of a photo of this very person, and no photo was used twice."""
    own = [colour for colour in shopper.sent.values() if colour]
    for message in thread:
        if not (message.from_brand and message.pictures):
            continue
        seen = colour_of(await phone.picture(message.pictures[0]))
        mine = next((colour for colour in own if _alike(colour, seen)), None)
        verdict.demand(mine, f"{who} received a picture of {seen}, having sent {own}")
        if mine:
            own.remove(mine)


def _alike(one: Colour, other: Colour) -> bool:
    return all(abs(a - b) <= COLOUR_TOLERANCE for a, b in zip(one, other, strict=True))


def _pictures(thread: Iterable[Message]) -> int:
    return sum(m.from_brand and bool(m.pictures) for m in thread)


# What the books say ------------------------------------------------------------------------------


async def _judge_inbox(
    verdict: Verdict, tx: Tx, shoppers: Sequence[Shopper], threads: dict[str, list[Message]]
) -> None:
    """Everything that happened on the phones has its row, once, and came to an end."""
    rows = await tx.fetch(
        """
        SELECT status, event_type, payload::text AS payload, error_message
          FROM public.webhook_events
        """
    )
    for row in rows:
        verdict.demand(
            row["status"] in ("completed", "skipped"),
            f"event {row['event_type']} is {row['status']}: {row['error_message']}",
        )
    stored = "\n".join(row["payload"] for row in rows)
    for shopper in shoppers:
        for message in threads[shopper.name]:
            verdict.demand(message.mid in stored, f"{shopper.name}: message {message.mid} was lost")
        for comment in shopper.comments:
            verdict.demand(comment in stored, f"{shopper.name}: comment {comment} was lost")
    parked = await tx.fetch_value("SELECT count(*) FROM public.instagram_message_queue")
    verdict.demand(parked == 0, f"{parked} deliveries were parked")


async def _judge_queues(verdict: Verdict, tx: Tx, shoppers: Sequence[Shopper]) -> None:
    """Nothing is stuck, nothing was given up; what was about a photo that its owner took back may
    stay unsaid.
    """
    regretted = {ref for shopper in shoppers for ref in shopper.taken_back}
    stuck = await tx.fetch(
        """
        SELECT state, payload ->> 'kind' AS kind, payload ->> 'purpose' AS purpose, last_error,
               result ->> 'code' AS code, split_part(key, '/', 3) AS about
          FROM internal.outbox WHERE channel = 'messages'
           AND state NOT IN ('sent', 'cancelled') AND payload ->> 'kind' <> 'typing'
        """
    )
    for row in stuck:
        verdict.demand(
            row["state"] == "failed" and row["about"] in regretted, f"message {dict(row)}"
        )
    for row in await tx.fetch("SELECT state, last_error FROM internal.jobs WHERE state <> 'done'"):
        verdict.faults.append(f"job {dict(row)}")


async def _judge_answers(
    verdict: Verdict, tx: Tx, shoppers: Sequence[Shopper], threads: dict[str, list[Message]]
) -> None:
    """What the phones show is what the outbox sent: nothing more (twice), nothing less (lost)."""
    rows = await tx.fetch(
        """
        SELECT coalesce(payload ->> 'person_ref', result ->> 'person_ref') AS person,
               payload ->> 'kind' AS kind, payload ->> 'text' AS text, result ->> 'message_ref' AS mid
          FROM internal.outbox
         WHERE channel = 'messages' AND state = 'sent' AND payload ->> 'kind' <> 'typing'
        """
    )
    sent: dict[str, Counter[Any]] = defaultdict(Counter)
    for row in rows:
        sent[row["person"]][row["mid"]] += 1
    for shopper in shoppers:
        if shopper.thread is None:
            continue
        shown = Counter(m.mid for m in threads[shopper.name] if m.from_brand)
        extra = shown - sent[shopper.thread.igsid]
        missing = sent[shopper.thread.igsid] - shown
        texts = [m.text or "picture" for m in threads[shopper.name] if m.mid in extra]
        verdict.demand(not extra, f"{shopper.name} was sent more than decided: {texts}")
        verdict.demand(not missing, f"{shopper.name}: {len(missing)} answers never arrived")


async def _judge_conversations(verdict: Verdict, tx: Tx, shoppers: Sequence[Shopper]) -> None:
    """Nobody of the brand wrote, so the bot has them all; each knows the garment that was asked for."""
    names = {shopper.thread.igsid: shopper.name for shopper in shoppers if shopper.thread}
    rows = await tx.fetch(
        "SELECT platform_user_id AS person, conversation_state AS state FROM public.social_conversations"
    )
    for row in rows:
        who, state = names.get(row["person"], row["person"]), row["state"]
        verdict.demand(state["handler"] == "bot", f"{who}: the bot took itself for a person")
        verdict.demand(state["binding_id"], f"{who}: no garment is known in the end: {state}")
    strangers = {row["person"] for row in rows} - names.keys()
    verdict.demand(not strangers, f"conversations with nobody: {strangers}")


async def _judge_money(
    verdict: Verdict, tx: Tx, shoppers: Sequence[Shopper], threads: dict[str, list[Message]]
) -> None:
    """One charge for each picture that arrived, none for anything else; every balance agrees."""
    rows = await tx.fetch(
        """
        SELECT c.platform_user_id AS person, count(DISTINCT e.source_id) AS charges,
               count(DISTINCT e.source_id) FILTER (WHERE e.status = 'reserved') AS open
          FROM public.workspace_usage_events e
          JOIN public.social_conversations c ON c.id = (e.metadata ->> 'conversation_id')::uuid
         WHERE e.status <> 'refunded' GROUP BY 1
        """
    )
    charged = {row["person"]: row["charges"] for row in rows}
    for shopper in shoppers:
        if shopper.thread is None:
            continue
        paid, got = charged.get(shopper.thread.igsid, 0), _pictures(threads[shopper.name])
        verdict.demand(paid == got, f"{shopper.name}: {got} pictures, {paid} charges")
    verdict.demand(not any(row["open"] for row in rows), "a charge stayed reserved")
    for invariant in billing.invariants(SystemClock()):
        for violation in await invariant.violations(tx):
            verdict.faults.append(f"{invariant.name}: {violation}")


async def _figures(tx: Tx) -> dict[str, int]:
    """What happened, in numbers."""
    row = await tx.fetch_one(
        """
        SELECT (SELECT count(*) FROM public.webhook_events) AS "events stored",
               (SELECT coalesce(sum(retry_count), 0) FROM public.webhook_events) AS "event failures",
               (SELECT max(retry_count) FROM public.webhook_events) AS "most failures of one event",
               (SELECT count(*) FROM internal.outbox WHERE state = 'sent') AS "messages sent",
               (SELECT count(*) FROM internal.outbox WHERE attempts > 1) AS "messages tried again",
               (SELECT count(*) FROM internal.jobs) AS "try-ons",
               (SELECT count(*) FROM internal.jobs WHERE attempts > 1) AS "try-ons run again",
               (SELECT count(DISTINCT source_id) FROM public.workspace_usage_events
                 WHERE status = 'completed') AS "charges",
               (SELECT count(*) FROM public.workspace_usage_events
                 WHERE status = 'refunded') AS "refunds"
        """
    )
    return {name: int(value or 0) for name, value in dict(row or {}).items()}
