"""A small world to act in: a brand with an account, a post, a garment on it, and a shopper.

Every method is one committed transaction, as in the program. The platform is a ``Platform``: it
accepts what it is told to accept, remembers what it was sent, and answers what a test scripts.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from selify import billing, commerce
from selify.auth import Session
from selify.auth.repository import find_session
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database, Tx
from selify.core.files.storage import Storage
from selify.core.ids import new_id
from selify.core.money import MicroUnits
from selify.core.queue.inbox import InboxWorker, Incoming, Intake
from selify.core.queue.outbox import OutboxWorker
from selify.core.secrets import SecretBox
from selify.core.web.links import FileLinks
from selify.messaging import accounts, echoes, names, outgoing, repository
from selify.messaging.dead_letters import DeadLetters
from selify.messaging.echoes import EchoChannel
from selify.messaging.events import SocialEvents
from selify.messaging.names import NameChannel
from selify.messaging.ports import (
    Accepted,
    Credentials,
    Grant,
    NotNow,
    OutgoingMessage,
    PostItem,
    ReadStep,
    Refused,
    SentMessage,
)
from selify.messaging.sending import MessageChannel
from selify.messaging.types import (
    Account,
    Attachment,
    AttachmentKind,
    CommentWritten,
    MessageWritten,
    SocialEvent,
)
from selify.notifications.notices import NoticeChannel
from selify.notifications.outbox import CHANNEL as NOTICES
from selify.tryon import bot, posts
from selify.tryon.bot import TryOnBot
from selify.tryon.dialogue import State

SYSTEM = Actor.system("test")
PLATFORM = "instagram"
ACCOUNT = "17841400000000001"
ANA = "900000000001"
PHOTO = Attachment(AttachmentKind.IMAGE, "https://photos.example/ana.jpg")
_numbers = itertools.count(1)

Answer = Accepted | Refused | Exception


@dataclass
class Platform:
    """The messenger's other side. ``script``: answers in turn; an empty one accepts everything."""

    sent: list[OutgoingMessage] = field(default_factory=list)
    script: list[Answer] = field(default_factory=list)
    thread: list[SentMessage] | None = field(default_factory=list)
    reads: list[dict[str, Any]] = field(default_factory=list)
    read_refusals: list[float | None] = field(default_factory=list)
    readers: dict[str, str] = field(default_factory=dict)
    addressees: dict[str, str] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def send(self, sender: Credentials, message: OutgoingMessage) -> Accepted | Refused:
        if message.typing:
            return Accepted("", message.person_ref)
        self.sent.append(message)
        answer = self.script.pop(0) if self.script else None
        if isinstance(answer, Exception):
            raise answer
        return answer or Accepted(f"mid.our{next(_numbers)}", self.reader(message))

    async def read_back(
        self, sender: Credentials, person_ref: str, *, since: datetime, cursor: Mapping[str, Any]
    ) -> ReadStep | NotNow:
        self.reads.append(dict(cursor))
        if self.thread is None or self.read_refusals:
            return NotNow(self.read_refusals.pop(0) if self.read_refusals else None)
        shown = [message for message in self.thread if message.at >= since]
        number = cursor.get("next", 0)
        following = {"next": number + 1} if number + 1 < len(shown) else None
        return ReadStep(following, shown[number] if shown else None)

    async def addressee(self, sender: Credentials, message_ref: str) -> str | None:
        return self.addressees.get(message_ref)

    async def username(self, sender: Credentials, person_ref: str) -> str | None:
        self.asked.append(person_ref)
        return self.names.get(person_ref, "")

    def split(self, text: str) -> list[str]:
        return [text[:1000]]

    def reader(self, message: OutgoingMessage) -> str:
        """Who gets it: of a private reply, whoever wrote the comment."""
        return message.person_ref or self.readers.get(message.comment_ref, ANA)

    @property
    def texts(self) -> list[str]:
        return [message.text or "[picture]" for message in self.sent]


@dataclass
class Brand:
    """One workspace with a connected account. Ids of posts and bindings by the post's ref."""

    owner_id: UUID
    workspace_id: UUID
    account: Account
    garment_id: UUID
    bindings: dict[str, UUID]


@dataclass
class World:
    """Everything wired as in the program, on one database and one clock."""

    database: Database
    clock: FrozenClock
    secrets: SecretBox
    storage: Storage
    platform: Platform = field(default_factory=Platform)
    waiting: dict[str, SocialEvent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.intake = Intake(self.database, self.clock)
        self.clients = bot.clients(TryOnBot(self.database, self.clock, self.secrets))
        self.events = SocialEvents(self._translate, self.clients, self.clock)
        self.inbox = InboxWorker(
            self.database,
            {PLATFORM: self.events},
            dead_letters={PLATFORM: DeadLetters(self._translate, self.clock)},
            clock=self.clock,
            worker_id="w",
        )
        self.channel = MessageChannel(
            self.database,
            self.platform,
            self.clients,
            secrets=self.secrets,
            links=FileLinks(self.secrets, "https://selify.example"),
            clock=self.clock,
        )
        self.outbox = OutboxWorker(
            self.database,
            {
                outgoing.CHANNEL: self.channel,
                echoes.CHANNEL: EchoChannel(
                    self.database,
                    self.platform,
                    self.clients,
                    secrets=self.secrets,
                    clock=self.clock,
                ),
                names.CHANNEL: NameChannel(
                    self.database,
                    self.platform,
                    self.clients.responder,
                    secrets=self.secrets,
                    clock=self.clock,
                ),
                NOTICES: NoticeChannel(self.clock),
            },
            clock=self.clock,
            worker_id="w",
        )

    def _translate(
        self, event_type: str, payload: Mapping[str, Any], received_at: datetime
    ) -> SocialEvent:
        return self.waiting[payload["id"]]

    # --- A brand ---

    async def brand(self, name: str = "Atelier Nord", account_ref: str = ACCOUNT) -> Brand:
        owner, workspace_id = await self.workspace(name)
        account = await self.connect(workspace_id, owner, account_ref)
        async with self.database.tx(SYSTEM) as tx:
            garment_id = await self._garment(tx, workspace_id)
            refs = [f"post-{account_ref}", f"second-{account_ref}", f"bare-{account_ref}"]
            await posts.store_posts(
                tx, account.id, [_post(ref, self.clock.now()) for ref in refs], now=self.clock.now()
            )
            bindings = {
                ref: await self._bind(tx, account.id, ref, garment_id, owner) for ref in refs[:2]
            }
        return Brand(owner, workspace_id, account, garment_id, bindings)

    async def workspace(self, name: str) -> tuple[UUID, UUID]:
        owner = uuid4()
        async with self.database.tx(SYSTEM) as tx:
            await billing.seed(tx)
            await tx.execute(
                "INSERT INTO auth.users (id, email) VALUES ($1, $2)", owner, f"{owner}@x.example"
            )
            workspace_id: UUID = await tx.fetch_value(
                "SELECT id FROM public.create_workspace_with_owner($1, NULL, $2)", name, owner
            )
            await tx.execute(
                """
                UPDATE public.workspace_quotas
                   SET period_start = $2, period_end = $3 WHERE workspace_id = $1
                """,
                workspace_id,
                self.clock.now() - timedelta(hours=1),
                self.clock.now() + timedelta(days=6),
            )
            await billing.open_account(tx, self.clock, workspace_id)
        return owner, workspace_id

    async def sign_in(self, user_id: UUID) -> Session:
        """A browser's session of somebody who is a user already."""
        session_id, now = new_id(), self.clock.now()
        async with self.database.tx(SYSTEM) as tx:
            await tx.execute(
                "INSERT INTO auth.sessions (id, user_id, created_at, not_after) VALUES ($1, $2, $3, $4)",
                session_id,
                user_id,
                now,
                now + timedelta(days=14),
            )
            session = await find_session(tx, session_id, now=now)
        assert session is not None
        return session

    async def connect(
        self, workspace_id: UUID, user_id: UUID, account_ref: str = ACCOUNT
    ) -> Account:
        async with self.database.tx(SYSTEM) as tx:
            connected = await accounts.connect(
                tx,
                self.clock,
                self.secrets,
                workspace_id=workspace_id,
                user_id=user_id,
                platform=PLATFORM,
                grant=self.grant(account_ref),
            )
            account = await repository.account(tx, connected.account_id)
        assert account is not None
        return account

    def grant(self, account_ref: str = ACCOUNT) -> Grant:
        return Grant(
            platform_account_id=account_ref,
            app_scoped_id=f"app-{account_ref}",
            username="ateliernord",
            picture_url="",
            token=f"token-of-{account_ref}",
            expires_at=self.clock.now() + timedelta(days=60),
            permissions=("messages",),
            profile={"name": "Atelier Nord"},
        )

    async def _garment(self, tx: Tx, workspace_id: UUID) -> UUID:
        garment = await commerce.add_garment(
            tx,
            workspace_id,
            commerce.NewGarment(
                name="Forest Tee",
                filename="tee.png",
                content_type="image/png",
                size=10,
                has_transparency=False,
                leffa=commerce.LeffaMetadata(
                    leffa_category="upper_body",
                    category_confidence=0.9,
                    analyzed_at=datetime.now(UTC),
                    analyzer_version="test",
                ),
                product={"price_cents": 3900, "stock": 4, "url": "https://brand.example/tee"},
            ),
            created_by=None,
        )
        return garment.id

    async def _bind(
        self, tx: Tx, account_id: UUID, post_ref: str, garment_id: UUID, owner: UUID
    ) -> UUID:
        post_id = await tx.fetch_value(
            """
            SELECT id FROM public.social_posts
             WHERE connected_account_id = $1 AND platform_post_id = $2
            """,
            account_id,
            post_ref,
        )
        return await posts.bind(tx, post_id=post_id, garment_id=garment_id, user_id=owner)

    # --- What arrives ---

    def comment(self, text: str = "try on please", **more: Any) -> CommentWritten:
        number = next(_numbers)
        written = CommentWritten(
            account_ref=ACCOUNT,
            person_ref=ANA,
            username="ana",
            comment_ref=f"comment{number}",
            post_ref=f"post-{ACCOUNT}",
            text=text,
            at=self.clock.now(),
        )
        return replace(written, **more)

    def message(self, text: str = "", **more: Any) -> MessageWritten:
        number = next(_numbers)
        written = MessageWritten(
            account_ref=ACCOUNT,
            person_ref=ANA,
            message_ref=f"mid.{number}",
            text=text,
            at=self.clock.now(),
        )
        return replace(written, **more)

    def photo(self, **more: Any) -> MessageWritten:
        return self.message(attachments=(PHOTO,), **more)

    def echo(self, text: str = "", **more: Any) -> MessageWritten:
        """Written by a person, unless it is ours: so some seconds after the shopper."""
        typed = {"at": self.clock.now() + timedelta(seconds=10), **more}
        return self.message(text, is_echo=True, **typed)

    async def arrive(self, *happened: SocialEvent) -> None:
        """Store the events as new ones, whatever they say; nothing is handled yet."""
        incoming = []
        for event in happened:
            name = f"e{next(_numbers)}"
            self.waiting[name] = event
            incoming.append(
                Incoming(
                    platform=PLATFORM,
                    event_type="test",
                    payload={"id": name, **_as_received(event)},
                    ordering_key=getattr(event, "person_ref", ""),
                    account_ref=event.account_ref,
                )
            )
        await self.intake.receive(incoming)

    async def handle(self, *happened: SocialEvent) -> None:
        """They arrive, one after another, and are handled as far as they can be now."""
        for event in happened:
            await self.arrive(event)
            while await self.inbox.run_once():
                pass

    async def deliver(self) -> None:
        """Send everything that may leave now, and what only waits a few seconds for a photo."""
        await self.sql(
            "UPDATE internal.outbox SET not_before = created_at"
            " WHERE state = 'queued' AND channel = $1 AND last_error IS NULL",
            outgoing.CHANNEL,
        )
        while await self.outbox.run_once():
            pass

    async def recover(self) -> None:
        """What was left in doubt is looked into, to the end."""
        await self.outbox.recover()
        await self.outbox.finish_reconciling()

    async def say(self, *happened: SocialEvent) -> None:
        """Handle and answer, one after another."""
        for event in happened:
            await self.handle(event)
            await self.deliver()

    async def later(self, by: timedelta) -> None:
        """Time passes; what waited is tried again."""
        self.clock.advance(by)
        while await self.inbox.run_once():
            pass
        await self.recover()
        await self.deliver()

    def wait_for_morning(self) -> None:
        """So that no midnight parts what is counted by days."""
        now = self.clock.now()
        morning = datetime.combine(now.date(), time(6), UTC)
        self.clock.advance((morning - now) % timedelta(days=1))

    # --- What there is to see ---

    async def sql(self, statement: str, *args: Any) -> list[Any]:
        async with self.database.tx(SYSTEM) as tx:
            return await tx.fetch(statement, *args)

    async def value(self, statement: str, *args: Any) -> Any:
        async with self.database.tx(SYSTEM) as tx:
            return await tx.fetch_value(statement, *args)

    async def state(self, person_ref: str = ANA) -> State:
        return State.from_json(
            await self.value(
                "SELECT conversation_state FROM public.social_conversations"
                " WHERE platform_user_id = $1",
                person_ref,
            )
        )

    async def charges(self) -> list[str]:
        rows = await self.sql(
            "SELECT status FROM public.workspace_usage_events ORDER BY created_at, id"
        )
        return [row["status"] for row in rows]

    async def queued(self, state: str = "queued") -> list[str]:
        """Purposes of messages in that state, in order."""
        rows = await self.sql(
            "SELECT payload ->> 'purpose' AS purpose FROM internal.outbox"
            " WHERE channel = $1 AND state = $2 AND payload ->> 'kind' <> 'typing' ORDER BY id",
            outgoing.CHANNEL,
            state,
        )
        return [row["purpose"] for row in rows]

    async def failures(self) -> list[str]:
        rows = await self.sql(
            "SELECT result ->> 'code' AS code FROM internal.outbox WHERE state = 'failed' ORDER BY id"
        )
        return [row["code"] for row in rows]

    async def interactions(self) -> list[Any]:
        return await self.sql("SELECT * FROM public.bot_interactions ORDER BY created_at, id")

    async def notified(self) -> list[str]:
        rows = await self.sql("SELECT type FROM public.notifications ORDER BY created_at, ctid")
        return [row["type"] for row in rows]

    async def outcomes(self) -> list[Any]:
        """Status and result of every event, in order of arrival."""
        return [
            (row["status"], row["processing_result"])
            for row in await self.sql(
                "SELECT status, processing_result FROM public.webhook_events ORDER BY created_at, id"
            )
        ]

    async def last(self) -> tuple[str, str]:
        """Status of the latest event, and what was decided or why it was skipped."""
        row = (
            await self.sql(
                """
                SELECT status, processing_result, error_message FROM public.webhook_events
                 ORDER BY created_at DESC, length(payload ->> 'id') DESC, payload ->> 'id' DESC LIMIT 1
                """
            )
        )[0]
        said = row["processing_result"] or {}
        return row["status"], said.get("decision") or said.get("reason") or row["error_message"]

    async def grant_credits(self, workspace_id: UUID, amount: int) -> None:
        async with self.database.tx(SYSTEM) as tx:
            await billing.grant(
                tx,
                self.clock,
                workspace_id,
                MicroUnits(amount),
                reason="test",
                reference=str(new_id()),
            )

    async def settings(self, account: Account, **changes: Any) -> None:
        await self.sql(
            "UPDATE public.connected_social_accounts SET settings = settings || $2 WHERE id = $1",
            account.id,
            changes,
        )

    async def put_in_doubt(self, do: Callable[[], None] | None = None) -> None:
        """Deliver with the next answer lost on its way."""
        self.platform.script.append(ConnectionError("the answer never came"))
        if do:
            do()
        await self.deliver()


def _as_received(event: SocialEvent) -> dict[str, Any]:
    """What a platform's payload holds of a message, under the names it has there."""
    said: dict[str, Any] = {
        "mid": getattr(event, "message_ref", ""),
        "text": getattr(event, "text", ""),
    }
    attachments = [{"url": found.url} for found in getattr(event, "attachments", ())]
    said |= {"attachments": attachments, "num_edit": getattr(event, "number", 0)}
    return {name: value for name, value in said.items() if value}


def _post(ref: str, at: datetime) -> PostItem:
    return PostItem(
        post_ref=ref,
        url=f"https://posts.example/{ref}",
        caption="Comment TRY ON",
        media_type="IMAGE",
        media_urls=("https://pictures.example/1.jpg",),
        thumbnail_url="https://pictures.example/1.jpg",
        likes=1,
        comments=0,
        posted_at=at - timedelta(days=1),
    )


@pytest.fixture
def world(swept_database: Database, secrets: SecretBox, storage: Storage) -> World:
    """Its clock stands still when it begins: whatever the database stamped "now" would not be due yet."""
    clock = FrozenClock(datetime.now(UTC))
    return World(swept_database, clock, secrets, storage)


@pytest_asyncio.fixture(loop_scope="session")
async def brand(world: World) -> Brand:
    return await world.brand()
