"""Trouble on demand: every fault a human or a test can switch on, kept across restarts."""

import random
import time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from selify_sandbox.instagram.state.errors import THROTTLES, GraphError, find_refusal
from selify_sandbox.instagram.state.store import Store, Tx

Percent = int


class Faults(BaseModel):
    """How badly things go. The defaults are a calm day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # How webhooks arrive
    duplicate: int = Field(0, ge=0, le=10)
    reorder_seconds: float = Field(0, ge=0, le=600)
    delay_seconds: float = Field(0, ge=0, le=3600)
    lose_percent: Percent = Field(0, ge=0, le=100)
    lose_for_seconds: float = Field(10, ge=0, le=3600)
    forge_percent: Percent = Field(0, ge=0, le=100)
    batch_size: int = Field(20, ge=1, le=1000)
    list_envelope: bool = False
    flat_comments: bool = False
    echoes: bool = True
    prompt_echoes_percent: Percent = Field(0, ge=0, le=100)
    # How calls are answered
    slow_ms: int = Field(0, ge=0, le=60_000)
    refuse_percent: Percent = Field(0, ge=0, le=100)
    cut_percent: Percent = Field(0, ge=0, le=100)
    unknown_percent: Percent = Field(0, ge=0, le=100)
    cut_after_percent: Percent = Field(0, ge=0, le=100)
    usage_percent: int = Field(0, ge=0, le=100)
    answers: Literal["wrapped", "flat"] = "wrapped"
    refuse_unpermitted_fields: bool = False
    unknown_field: str = Field("", max_length=40)
    # Who people are
    separate_comment_ids_percent: Percent = Field(100, ge=0, le=100)


class Throttle(BaseModel):
    """A rate limit in force until ``until`` (epoch seconds); counts who keeps calling."""

    code: int
    until: float
    calls: int = 0


class InjectedError(BaseModel):
    """The next ``times`` calls whose edge matches get this error; after the effect if asked."""

    model_config = ConfigDict(extra="forbid")

    code: int
    subcode: int = 0
    on: str = Field("*", description="edge such as messages, replies, media; * for any call")
    times: int = Field(1, ge=1, le=10_000)
    after_effect: bool = False


class State(BaseModel):
    """What is saved."""

    faults: Faults = Faults()
    throttle: Throttle | None = None
    errors: list[InjectedError] = []


class Switchboard:
    """The current faults in memory, saved with every change."""

    def __init__(self, store: Store, defaults: Faults, seed: int | None) -> None:
        self._store = store
        self._defaults = defaults
        self.state = State(faults=defaults)
        self.rng = random.Random(seed)

    @property
    def faults(self) -> Faults:
        """The faults in force."""
        return self.state.faults

    async def load(self) -> None:
        """Take up what was set before the restart."""
        saved = await self._store.run(
            lambda tx: tx.value("SELECT value FROM settings WHERE name = 'switchboard'")
        )
        if saved:
            self.state = State.model_validate_json(saved)

    async def save(self, state: State) -> None:
        """Put a new state in force and keep it."""
        self.state = state
        await self._store.run(_save, state)

    async def change(self, changes: dict[str, object]) -> Faults:
        """Change some faults. Raises pydantic.ValidationError for a name or value unknown."""
        faults = Faults.model_validate(self.faults.model_dump() | changes)
        await self.save(self.state.model_copy(update={"faults": faults}))
        return faults

    async def reset(self) -> None:
        """Back to a calm day."""
        await self.save(State(faults=self._defaults))

    async def throttle(self, code: int, seconds: float) -> None:
        """Answer every call with this rate-limit error for a while; 0 seconds lifts it."""
        if code not in THROTTLES:
            raise ValueError(f"code must be one of {sorted(THROTTLES)}")
        limit = Throttle(code=code, until=time.time() + seconds) if seconds > 0 else None
        await self.save(self.state.model_copy(update={"throttle": limit}))

    async def inject(self, error: InjectedError) -> None:
        """Queue an error for coming calls."""
        errors = [*self.state.errors, error]
        await self.save(self.state.model_copy(update={"errors": errors}))

    def chance(self, percent: Percent) -> bool:
        """Whether a fault of this likelihood strikes now."""
        return percent > 0 and self.rng.random() * 100 < percent

    def throttled_for(self) -> float:
        """Seconds until the forced rate limit ends; 0 when there is none."""
        limit = self.state.throttle
        return max(0.0, limit.until - time.time()) if limit else 0.0

    def check_throttle(self) -> None:
        """Raise the forced rate limit's error while it lasts."""
        limit = self.state.throttle
        if limit and limit.until > time.time():
            limit.calls += 1
            raise GraphError(THROTTLES[limit.code])

    async def check_injected(self, edge: str, *, after_effect: bool) -> None:
        """Raise the next queued error meant for this call, once."""
        for error in self.state.errors:
            if error.on in {"*", edge} and error.after_effect == after_effect:
                error.times -= 1
                left = [kept for kept in self.state.errors if kept.times > 0]
                await self.save(self.state.model_copy(update={"errors": left}))
                raise GraphError(find_refusal(error.code, error.subcode))


def _save(tx: Tx, state: State) -> None:
    tx.run(
        "INSERT INTO settings (name, value) VALUES ('switchboard', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        state.model_dump_json(),
    )
    tx.note("switchboard")
