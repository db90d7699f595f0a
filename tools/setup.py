"""Sets up the virtual environment: pinned, hashed dependencies, our own packages, and their assets.

Usage: python3 tools/setup.py VENV REQUIREMENTS PACKAGE... Needs nothing but Python 3.11 or newer.
"""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)


def main() -> None:
    """Each step says what it does; one that fails ends the set-up with one line."""
    folder, requirements, packages = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    if sys.version_info < OLDEST:
        leave(f"Python {sys.version.split()[0]} is too old.", "Install Python 3.11 or newer.")
    python = folder / "bin" / "python"
    if not python.exists():
        say(f"Making a virtual environment in {folder}")
        make_environment(folder)
    say(f"Installing the pinned packages of {requirements}")
    pip(python, "install", "--require-hashes", "--no-deps", "-r", str(requirements))
    say("Installing Selify itself")
    # hatchling is pinned with the rest; without isolation nothing unpinned is fetched.
    editable = [word for package in packages for word in ("--editable", str(ROOT / package))]
    pip(python, "install", "--no-deps", "--no-build-isolation", *editable)
    say("Fetching the try-on models and page scripts (once)")
    run([str(python), "-c", "from selify import assets; assets.ensure_all()"])


def make_environment(folder: Path) -> None:
    try:
        venv.EnvBuilder(with_pip=True, upgrade_deps=False).create(folder)
    except (subprocess.CalledProcessError, OSError) as error:
        leave(
            f"The virtual environment could not be made: {error}",
            "On Debian and Ubuntu: apt-get install python3-venv",
        )


def pip(python: Path, *arguments: str) -> None:
    run([str(python), "-m", "pip", "--disable-pip-version-check", "-q", *arguments])


def run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        leave("The set-up stopped (see above).", "Check the connection to your package index.")


def say(sentence: str) -> None:
    sys.stderr.write(f"  {sentence} …\n")


def leave(problem: str, advice: str) -> None:
    sys.stderr.write(f"✗ {problem}\n  {advice}\n")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
