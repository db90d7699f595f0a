"""Makes sure that a Chromium is there for the page tests; installs Debian's when it may."""

import os
import shutil
import subprocess
import sys


def main() -> None:
    if shutil.which("chromium") or shutil.which("chromium-browser"):
        return
    apt = shutil.which("apt-get")
    if apt is None:
        leave()
    sudo = [] if os.geteuid() == 0 else [shutil.which("sudo") or leave(), "-n"]
    sys.stderr.write("  Installing Debian's Chromium for the page tests …\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
        done = subprocess.run(
            [*sudo, apt, *arguments], env=environment, stdout=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            leave()


def leave() -> str:
    sys.stderr.write("✗ The page tests need Chromium.\n  Install it: apt-get install chromium\n")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
