"""``python -m bench [figure …] [--quick]``."""

import argparse
import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import uvloop
from rich.console import Console

from bench import charges, claims, inbox, intake, pages, startup, tryon, tryon_truth
from bench.instruments import machine
from bench.instruments.report import Line, Report, show
from bench.instruments.rounds import QUICK, THOROUGH, Effort
from bench.instruments.stage import Stage, open_stage

Figure = Callable[[Stage, Effort], Awaitable[list[Line]]]
FIGURES: Mapping[str, Figure] = {
    module.FIGURE: module.measure
    for module in (intake, inbox, claims, charges, pages, tryon, tryon_truth, startup)
}
HERE = Path(__file__).parent

out = Console()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="figure", help=", ".join(FIGURES))
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    asked = parser.parse_args()
    unknown = set(asked.figures) - set(FIGURES)
    if unknown:
        parser.error(f"no figure is called {', '.join(sorted(unknown))}")
    logging.disable(logging.INFO)
    uvloop.run(run(asked.figures or list(FIGURES), QUICK if asked.quick else THOROUGH))


async def run(names: list[str], effort: Effort) -> None:
    _clean_up_when_terminated()
    lines: list[Line] = []
    with out.status("Making a database …") as status:
        async with open_stage() as stage:
            facts = await machine.facts(stage.template_url)
            for name in names:
                status.update(f"Measuring {name} …")
                measured = await FIGURES[name](stage, effort)
                show(measured, out)
                lines += measured
    report = Report(HERE / "results.json", HERE.parent / "README.md", tuple(FIGURES))
    report.publish(lines, facts)


def _clean_up_when_terminated() -> None:
    """As on Ctrl-C: the servers are stopped and the folders removed."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)


if __name__ == "__main__":
    main()
