"""pgbench: PostgreSQL's own load generator, as the measure of what the database alone can do."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.instruments.stage import run_quietly
from selify.db import embedded

_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


async def transactions_per_second(
    url: str,
    script: str,
    *,
    clients: int,
    seconds: float,
    variables: Mapping[str, object] | None = None,
) -> float:
    """How often a second these clients together can run the script, as the system's role.

    Statements are prepared once per client, and the connecting is not counted.
    """
    address = urlsplit(url)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        said = await run_quietly(
            str(embedded.client_program("pgbench")),
            *("--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=1"),
            *("--host", parse_qs(address.query)["host"][0], "--username", address.username or ""),
            *("--time", str(max(1, round(seconds))), "--file", str(Path(file.name))),
            *(f"--define={name}={value}" for name, value in (variables or {}).items()),
            address.path.removeprefix("/"),
            environment={"PGOPTIONS": "-c role=service_role"},
        )
    return parse_rate(said)


def parse_rate(said: str) -> float:
    """The transactions a second of pgbench's report. Raises ValueError where it has none."""
    found = _RATE.search(said)
    if found is None:
        raise ValueError(f"pgbench reported no rate: {said}")
    return float(found[1])
