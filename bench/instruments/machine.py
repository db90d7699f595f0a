"""What the numbers were measured on."""

import platform
from pathlib import Path

from bench.instruments.stage import cores, database_version


async def facts(database_url: str) -> dict[str, str]:
    return {
        "cores": f"{cores()} ({_processor()})",
        "Python": platform.python_version(),
        "PostgreSQL": await database_version(database_url),
    }


def _processor() -> str:
    """The processor's own name where the system tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
