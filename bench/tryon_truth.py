"""How true the embedded engine's pictures are, in a drawn world in which the truth is known.

A fixed grid of drawn people and garments; only pictures that the engine would send are measured.
``python -m bench.tryon_truth`` shows all of it by kind of garment, refused ones too.
"""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.instruments import stage
from bench.instruments.report import Line
from bench.instruments.rounds import THOROUGH, Effort, percentile
from selify import assets
from selify.tryon.engine.garment import Garment, read_cut_out
from selify.tryon.engine.gate import assess_own
from selify.tryon.engine.networks import load_networks
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.pipeline import TryOn, try_on
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.worker import refuse_half_a_dress, refuse_if_unconvincing
from selify_sandbox.drawn_world import garments, scenes
from selify_sandbox.drawn_world.samples import GARMENTS, PEOPLE
from selify_sandbox.drawn_world.scenes import Measures, scene
from selify_sandbox.drawn_world.specs import Garment as Drawn

FIGURE = "truth"
_EACH_WORN_BY = 2
# Of the grid few pictures show skin that has to be painted; these do.
_BARED = (
    ("long sleeves", "tee"),
    ("striped", "tee with motif"),
    ("tee", "striped V neck"),
    ("arm in front", "dress"),
    ("tee", "dress"),
    ("long sleeves", "dress with sleeves"),
    ("arm in front", "tank"),
    ("dress", "shorts"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``measures`` None: the engine made no picture. ``refused``: why it would not be sent."""

    person: str
    kind: str
    measures: Measures | None
    refused: str = ""


async def measure(_where: stage.Stage, effort: Effort) -> list[Line]:
    """One line per measure, and one for the share that is refused."""
    return lines(list(outcomes(pairs(1 if effort.rounds < THOROUGH.rounds else _EACH_WORN_BY))))


def outcomes(pairs: Sequence[tuple[str, Drawn]]) -> Iterator[Outcome]:
    perception = Perception(load_networks(assets.ensure("tryon-models")))
    read: dict[Drawn, Garment | Refused] = {}
    for person, garment in pairs:
        if garment not in read:
            read[garment] = _read(perception, garment)
        yield _outcome(perception, person, garment, read[garment])


def pairs(each_worn_by: int) -> list[tuple[str, Drawn]]:
    """Every garment on so many people, who take turns; of several each also pairs of which skin has to be painted."""
    names, kinds = list(PEOPLE), {garment.kind: garment for garment in GARMENTS}
    grid = [
        (names[(number + 3 * turn) % len(names)], garment)
        for number, garment in enumerate(GARMENTS)
        for turn in range(each_worn_by)
    ]
    bared = [(name, kinds[kind]) for name, kind in _BARED] if each_worn_by > 1 else []
    return list(dict.fromkeys([*grid, *bared]))


def _read(perception: Perception, garment: Drawn) -> Garment | Refused:
    try:
        return read_cut_out(
            garments.draw(garment).bgr, None, garment.category, perception.segmenter
        )
    except Refused as refused:
        return refused


def _outcome(
    perception: Perception, person: str, garment: Drawn, cut_out: Garment | Refused
) -> Outcome:
    if isinstance(cut_out, Refused):
        return Outcome(person, garment.kind, None, cut_out.code.value)
    place = scene(PEOPLE[person], garment)
    try:
        result = try_on(perception, place.photo.bgr, cut_out)
    except Refused as refused:
        return Outcome(person, garment.kind, None, refused.code.value)
    measures = scenes.measure(place, result.bgr)
    return Outcome(person, garment.kind, measures, _why_not_sent(result, cut_out))


def _why_not_sent(result: TryOn, garment: Garment) -> str:
    """As the engine's process decides; empty where the picture is sent."""
    try:
        refuse_half_a_dress(result.person, garment)
        refuse_if_unconvincing(result)
    except Refused as refused:
        return str(refused.details["reason"])
    scores = assess_own(result.person, garment, result.dressed)
    return ", ".join(scores.misses)


# --- Lines ----------------------------------------------------------------------------------------

_Value = Callable[[Measures], float | None]


def _restored(measures: Measures) -> float | None:
    return None if measures.restored is None else 100 * measures.restored


_MEASURES: Mapping[str, tuple[_Value, str]] = {
    "overlap of the garment with where it has to be": (lambda m: 100 * m.overlap, "%"),
    "end of the sleeve off by": (lambda m: m.sleeve, "spans"),
    "hem off by": (lambda m: m.hem, "spans"),
    "neckline off by": (lambda m: m.neck, "spans"),
    "colour of the garment off by": (lambda m: m.colour, "ΔE00"),
    "painted skin off by": (lambda m: m.skin, "ΔE00"),
    "wall restored behind wider old clothes": (_restored, "%"),
    "face, hair and background left alone": (lambda m: 100 * m.kept, "%"),
}


def lines(found: Sequence[Outcome]) -> list[Line]:
    sent = [o.measures for o in found if o.measures is not None and not o.refused]
    refused = 100 * sum(bool(o.refused) for o in found) / len(found)
    table = [Line(FIGURE, f"Of {len(found)} drawn try-ons, refused", refused, "%")]
    for what, (value, unit) in _MEASURES.items():
        known = [v for v in map(value, sent) if v is not None]
        if known:
            table.append(_line(what, known, unit))
    return table


def _line(what: str, values: Sequence[float], unit: str) -> Line:
    """The median, beside the tenth that is worst: of shares the lowest, of errors the highest."""
    worst = percentile(values, 0.1 if unit == "%" else 0.9)
    middle = statistics.median(values)
    return Line(FIGURE, f"Drawn try-ons: {what}", middle, unit, "the worst tenth", worst)


def _median(measures: Sequence[Measures], value: _Value) -> float | None:
    known = [v for v in map(value, measures) if v is not None]
    return statistics.median(known) if known else None


def by_kind(found: Sequence[Outcome]) -> Table:
    """All pictures that were made, also those that would not be sent."""
    table = Table(
        "Garment", "Refused", *(f"{what}, {unit}" for what, (_, unit) in _MEASURES.items())
    )
    for kind in dict.fromkeys(o.kind for o in found):
        ours = [o for o in found if o.kind == kind]
        made = [o.measures for o in ours if o.measures is not None]
        middles = [_median(made, value) for value, _ in _MEASURES.values()]
        cells = ["" if m is None else f"{m:.3g}" for m in middles]
        why = "; ".join(o.refused for o in ours if o.refused)
        table.add_row(kind, why, *cells)
    return table


if __name__ == "__main__":
    Console(width=200).print(by_kind(list(outcomes(pairs(_EACH_WORN_BY)))))
