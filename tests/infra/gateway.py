"""A platform as the social domain connects to it: it answers what a test wants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.infra.world import PLATFORM, World

from selify.core.errors import BadRequest
from selify.messaging import event_kinds
from selify.messaging.ports import (
    Grant,
    PlatformRefused,
    PostItem,
    PostPage,
    RenewedToken,
    Subscription,
)


@dataclass
class Gateway:
    """The platform's other doors. ``refusal`` is raised by whatever is asked next."""

    world: World
    platform: str = PLATFORM
    refusal: PlatformRefused | None = None
    asked: list[str] = field(default_factory=list)
    items: tuple[PostItem, ...] = ()

    def consent_url(self, *, state: str, redirect_uri: str) -> str:
        return f"https://platform.example/consent?state={state}&redirect_uri={redirect_uri}"

    def read_callback(self, params: Mapping[str, str]) -> str:
        if "error" in params:
            raise BadRequest("You did not allow it.")
        return params["code"]

    async def exchange(self, code: str, *, redirect_uri: str) -> Grant:
        self._ask("exchange")
        return self.world.grant()

    async def renew(self, token: str, *, expires_at: datetime, since: datetime) -> RenewedToken:
        self._ask(f"renew {token}")
        return RenewedToken("renewed", self.world.clock.now() + timedelta(days=60))

    async def subscribe(self, token: str, permissions: Sequence[str]) -> Subscription:
        self._ask("subscribe")
        return Subscription(tuple(event_kinds.COSTS))

    async def unsubscribe(self, token: str) -> None:
        self._ask("unsubscribe")

    async def posts(self, token: str, after: str | None) -> PostPage:
        self._ask("posts")
        return PostPage(self.items, None)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.refusal and not what.startswith("exchange"):
            raise self.refusal
