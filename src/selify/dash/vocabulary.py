"""``/dash/components``: the vocabulary of every page, each word in all its states, to build from and to look at.

It is for whoever builds pages, and not translated.
"""

import math
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from selify.core.errors import Invalid
from selify.core.permissions import BRAND_READ, allows
from selify.dash import forms
from selify.dash.charts import Chart, Series
from selify.dash.context import OpenPage
from selify.dash.periods import Trend
from selify.dash.rendering import page

router = APIRouter(prefix="/dash/components")

DAYS = 30


def _refused(typed: str) -> Invalid | None:
    """As a form says it."""
    try:
        forms.cents(typed)
    except Invalid as refusal:
        return refusal
    return None


@router.get("")
@allows(BRAND_READ)
async def show(ctx: OpenPage) -> Response:
    days = [ctx.now.date() - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    waves = [round(400 + 300 * math.sin(place / 3)) for place in range(DAYS)]
    trickle = [max(0, 12 * place - 120) for place in range(DAYS)]
    series = [Series("Week’s credits", waves), Series("Pay as you go", trickle)]
    return await page(
        ctx,
        "vocabulary.html",
        refusal=_refused("cheap"),
        bars=Chart("Credits a day", days, series),
        lines=Chart("Credits a day", days, series, kind="lines"),
        trends=[
            (Trend(30, 20), "up"),
            (Trend(10, 20), "up"),
            (Trend(30, 20), ""),
            (Trend(5, 0), ""),
            (Trend(5, 5), ""),
        ],
    )
