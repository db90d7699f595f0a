"""What wings bring by the name of a file: ``settings.py``, ``commands.py``, ``models.py``.

It is found wherever it stands: in every package below ``selify``, and below packages named ``selify_…`` that are
installed beside it; but for pages (``auth/pages/settings.py`` is one). Nothing is imported to find it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module, util
from types import ModuleType
from typing import Final

OURS: Final = "selify"
BESIDE: Final = "selify_"
# Here are pages, one of which may well be called settings.
_PAGES: Final = "pages"


@dataclass(frozen=True, slots=True)
class Brought:
    """A module, by its full name and file."""

    name: str
    path: str

    @property
    def wing(self) -> str:
        """Whose it is: ``billing``, ``vendors.<name>``; of a package beside ours, the package."""
        return self.name.removeprefix(f"{OURS}.").rpartition(".")[0]

    def load(self) -> ModuleType:
        """The file alone: its package may import half the product to say what it offers others, and
        who asks for help waits for none of it.
        """
        package = self.name.rpartition(".")[0]
        if self.name in sys.modules or package in sys.modules:
            return import_module(self.name)
        spec = util.spec_from_file_location(self.name, self.path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{self.path} is no module")
        module = sys.modules[self.name] = util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[self.name]
            raise
        return module


def found(file: str) -> list[Brought]:
    """Every ``<file>.py``, ours first."""
    return [*ours(file), *beside(file)]


def ours(file: str) -> list[Brought]:
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    return list(_below(folder, OURS, f"{file}.py"))


def beside(file: str) -> list[Brought]:
    """Of a package that lies in two places, the one that would be imported."""
    packages: dict[str, str] = {}
    for folder in sys.path:
        with suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                if entry.name.startswith(BESIDE) and _is_package(entry):
                    packages.setdefault(entry.name, entry.path)
    return [
        one for name, path in sorted(packages.items()) for one in _below(path, name, f"{file}.py")
    ]


def _below(folder: str, package: str, file: str) -> Iterator[Brought]:
    """A package's own before those of the packages in it, which stand in the order of the alphabet."""
    with os.scandir(folder) as scanned:
        entries = {entry.name: entry for entry in scanned}
    if file in entries:
        yield Brought(f"{package}.{file.removesuffix('.py')}", entries[file].path)
    for name in sorted(entries):
        if name != _PAGES and _is_package(entries[name]):
            yield from _below(entries[name].path, f"{package}.{name}", file)


def _is_package(entry: "os.DirEntry[str]") -> bool:
    return entry.name.isidentifier() and os.path.isfile(f"{entry.path}/__init__.py")  # noqa: PTH113
