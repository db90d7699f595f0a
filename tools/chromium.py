"""Makes sure that a Chromium is there for the page tests; installs Debian's when it may.

The one without windows takes little more than half as much of the processor. Any other does as well.
"""

import os
import shutil
import subprocess
import sys

HEADLESS = "chromium-headless-shell"
KNOWN = (HEADLESS, "chromium", "chromium-browser")


def main() -> None:
    if not shutil.which(HEADLESS) and not install() and not find():
        sys.stderr.write(
            f"✗ The page tests need Chromium.\n  Install it: apt-get install {HEADLESS}\n"
        )
        raise SystemExit(1)


def find() -> str | None:
    """The program to start."""
    return next(filter(None, map(shutil.which, KNOWN)), None)


def install() -> bool:
    """Whether it could be done. Of what goes wrong nothing is said where another one is there."""
    apt, sudo = shutil.which("apt-get"), shutil.which("sudo")
    root = os.geteuid() == 0
    if apt is None or not (root or sudo):
        return False
    sys.stderr.write("  Installing Debian's headless Chromium for the page tests …\n")
    as_root = [apt] if root else [str(sudo), "-n", apt]
    return all(
        subprocess.run(
            [*as_root, *arguments],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if find() else None,
            check=False,
        ).returncode
        == 0
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", HEADLESS])
    )


if __name__ == "__main__":
    main()
