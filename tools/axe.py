"""Fetches axe-core, which looks for what keeps people out of a page, for the page tests. Nothing of the product
needs it.
"""

from pathlib import Path

from selify import assets

PACKAGE = assets.Package.of(
    "axe-core",
    {
        "source": "npm",
        "version": "4.14.1",
        "licence": "MPL-2.0, Deque Systems",
        "members": {
            "package/axe.min.js": "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
        },
    },
)


def folder() -> Path:
    return assets.home() / "page-tests"


def main() -> None:
    if not PACKAGE.complete_in(folder()):
        folder().mkdir(parents=True, exist_ok=True)
        assets.fetch(PACKAGE, folder())


if __name__ == "__main__":
    main()
