"""SIGKILL at seeded moments for whoever is named; the supervisor brings them back."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.infra.stack import WholeStack


@dataclass(slots=True)
class Killer:
    """Kills ``times`` of each victim, in a seeded order, all within ``spread`` seconds."""

    stack: WholeStack
    times: dict[str, int]
    seed: int
    spread: float
    done: Counter[str] = field(default_factory=Counter)
    away: dict[str, list[float]] = field(default_factory=dict)

    async def go(self) -> None:
        """One after another, so that each kill meets a product at work."""
        rng = random.Random(self.seed)
        victims = [name for name, count in self.times.items() for _ in range(count)]
        rng.shuffle(victims)
        pauses = [rng.uniform(0.5, 1.5) for _ in victims]
        scale = self.spread / sum(pauses) if victims else 0
        for victim, pause in zip(victims, pauses, strict=True):
            await asyncio.sleep(pause * scale)
            await self._kill(victim)

    async def _kill(self, victim: str) -> None:
        killed = self.stack.kill(victim)
        if killed is None:  # it is down already: then this one does not count
            return
        self.done[victim] += 1
        since = time.monotonic()
        await self.stack.until_back(victim, killed)
        self.away.setdefault(victim, []).append(time.monotonic() - since)
