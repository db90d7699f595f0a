"""A storm by hand: ``python -m tests.trouble.long --conversations 500 --seed 7``.

Prints what happened; exit code 1 when anything was lost, doubled or charged wrongly.
"""

import argparse
import asyncio
import logging
import statistics
import sys
import time

from rich.console import Console
from rich.table import Table
from tests.infra.stack import quick_folder, running_stack
from tests.trouble.storm import Plan, Report, storm

out = Console()


def main() -> int:
    """The exit code."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    arguments = _arguments()
    kills = {
        **{f"worker {n + 1}": arguments.kills for n in range(arguments.workers)},
        "server": arguments.kills,
        "database": arguments.kills,
    }
    plan = Plan(
        conversations=arguments.conversations,
        seed=arguments.seed,
        spread=arguments.spread or arguments.conversations * 0.2,
        patience=arguments.patience,
        kills=kills,
    )
    report = asyncio.run(_run(plan, arguments.workers))
    _show(plan, report)
    return 1 if report.verdict.faults else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.trouble.long", description=__doc__)
    parser.add_argument("--conversations", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=5, help="of each process")
    parser.add_argument("--spread", type=float, default=0, help="seconds in which shoppers arrive")
    parser.add_argument("--patience", type=float, default=300, help="seconds to wait for an answer")
    return parser.parse_args()


async def _run(plan: Plan, workers: int) -> Report:
    started = time.monotonic()
    with quick_folder() as folder:
        async with running_stack(folder, workers=workers) as stack:
            out.print(f"up after {time.monotonic() - started:.1f} s; {plan.conversations} begin")
            return await storm(stack, plan, out.print)


def _show(plan: Plan, report: Report) -> None:
    table = Table("what", "how many", title=f"A storm of {plan.conversations}, seed {plan.seed}")
    for group in (report.kinds, report.deliveries, report.verdict.figures):
        for name, count in sorted(group.items()):
            table.add_row(name, f"{count:,}")
        table.add_section()
    for victim, count in sorted(report.kills.items()):
        away = statistics.median(report.away.get(victim, [0.0]))
        table.add_row(f"kill -9 of {victim}", f"{count} (back after {away:.1f} s)")
    table.add_row("seconds", f"{report.seconds:.0f}")
    out.print(table)
    for fault in report.verdict.faults:
        out.print(f"[red]✗[/] {fault}", highlight=False, soft_wrap=True)
    if not report.verdict.faults:
        out.print(
            "[green]✓[/] every conversation answered, each picture charged once, nothing lost"
        )


if __name__ == "__main__":
    sys.exit(main())
