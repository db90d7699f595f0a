"""Says that a port is taken before anything is installed, and not a minute later.

Usage: python3 tools/ports.py up|demo. Needs nothing but Python. What else may be wrong with the
settings is said by the program itself, which knows them all.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
DEFAULTS = {"SELIFY_HOST": "127.0.0.1", "SELIFY_PORT": "8700", "SELIFY_PHONE_PORT": "8701"}
_LINE = re.compile(r"\s*(?:export\s+)?(\w+)\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^#\s]*))")


def main() -> None:
    if sys.version_info < OLDEST:
        return  # which the set-up says
    sys.path.insert(0, str(ROOT / "src"))
    from selify.core.errors import SelifyError
    from selify.core.web.listening import check_port

    found = settings()
    wanted = [(found["SELIFY_HOST"], "SELIFY_PORT")]
    if sys.argv[1] == "demo":
        wanted.append(("127.0.0.1", "SELIFY_PHONE_PORT"))
    for host, setting in wanted:
        if found[setting].isdecimal() and 0 < int(found[setting]) < 65536:
            try:
                check_port(host, int(found[setting]), setting)
            except SelifyError as error:
                sys.stderr.write(f"✗ {error.detail}\n  {error.hint}\n")
                raise SystemExit(1) from None


def settings() -> dict[str, str]:
    """As the program reads them: the environment wins over the file."""
    path = Path(os.environ.get("SELIFY_SETTINGS_FILE", "selify.env"))
    text = path.read_text() if path.is_file() else ""
    lines = (_LINE.match(line) for line in text.splitlines())
    written = {line[1].upper(): line[2] or line[3] or line[4] or "" for line in lines if line}
    given = {name.upper(): value for name, value in os.environ.items()}
    return {name: given.get(name, written.get(name, default)) for name, default in DEFAULTS.items()}


if __name__ == "__main__":
    main()
