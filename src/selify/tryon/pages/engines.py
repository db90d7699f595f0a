"""The engines side by side, over a chosen period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from selify.billing.permissions import USAGE_READ
from selify.core.permissions import allows
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Part
from selify.dash.periods import ChosenDays, days_of
from selify.dash.rendering import page
from selify.tryon import league, queries
from selify.tryon.league import Reason, Standing
from selify.tryon.pages import words
from selify.tryon.permissions import POSTS_READ

router = APIRouter(prefix="/engines")

# The rest is summed up: nobody acts on what happens once.
REASONS = 5


@dataclass(frozen=True, slots=True)
class Why:
    """A line under an engine. ``share`` of the try-ons it was asked for, in whole percent."""

    kind: str
    text: str
    count: int
    share: int


@router.get("")
@allows(USAGE_READ, POSTS_READ)
async def show(ctx: OpenPage, days: ChosenDays) -> Response:
    return await page(ctx, "tryon/engines.html", **await show_league(ctx, days))


async def show_league(ctx: PageContext, days: int) -> dict[str, Any]:
    now = ctx.now
    async with ctx.reading() as tx:
        since = now - timedelta(days=days)
        found = await league.league(tx, ctx.workspace.id, since=since, until=now)
    async with ctx.acting() as tx:
        binding = await queries.shows_any_garment(tx, ctx.workspace.id)
    return {
        "league": found,
        "reasons": {one.engine: _reasons(one) for one in found.standings},
        "most": league.MOST,
        "binding": binding,
        "days": days,
    }


def _reasons(standing: Standing) -> Sequence[Why]:
    """The most frequent ones, those that are said alike taken together."""
    counts: dict[tuple[str, str], int] = {}
    for reason in standing.reasons:
        said = _said(reason)
        counts[said] = counts.get(said, 0) + reason.count
    found = sorted(counts.items(), key=lambda item: -item[1])
    lines = [(*said, count) for said, count in found[:REASONS]]
    if rest := sum(count for _, count in found[REASONS:]):
        lines.append(("other", words.OTHER_REASONS, rest))
    return [Why(kind, text, n, round(100 * n / standing.asked)) for kind, text, n in lines]


def _said(reason: Reason) -> tuple[str, str]:
    """What kind of reason it is, and its words."""
    kind, otherwise = words.OUTCOMES[reason.outcome.value]
    return kind, words.REASONS.get(reason.why, otherwise)


LEAGUE = Part(
    name="league",
    template="tryon/fragments/league.html",
    draw=show_league,
    permissions=(USAGE_READ, POSTS_READ),
    tables=("workspace_usage_events",),
    view=days_of,
)
