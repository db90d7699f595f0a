"""What wings bring by the name of a file: ``settings.py``, ``commands.py``, ``models.py``.

It is found wherever it stands: in every package below ``selify``, and below packages named ``selify_…`` that are
installed beside it; but for pages (``auth/pages/settings.py`` is one). Nothing is imported to find it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module, util
from types import ModuleType
from typing import Final, NamedTuple

OURS: Final = "selify"
BESIDE: Final = "selify_"
# Of a wing's pages one may well be called settings.
_NO_PACKAGES: Final = frozenset({"pages", "__pycache__"})


class Brought(NamedTuple):
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
        with suppress(OSError):
            for name in os.listdir(folder or "."):  # noqa: PTH208
                path = f"{folder or '.'}/{name}"
                if name.startswith(BESIDE) and name.isidentifier() and _is_package(path):
                    packages.setdefault(name, path)
    return [
        one for name, path in sorted(packages.items()) for one in _below(path, name, f"{file}.py")
    ]


def _is_package(path: str) -> bool:
    return os.path.isfile(f"{path}/__init__.py")  # noqa: PTH113


def _below(folder: str, package: str, file: str) -> Iterator[Brought]:
    """A package's own before those of the packages in it, which stand in the order of the alphabet."""
    with suppress(NotADirectoryError):
        names = os.listdir(folder)  # noqa: PTH208 - who asks for help waits for all of this
        if "__init__.py" not in names:
            return
        if file in names:
            yield Brought(f"{package}.{file.removesuffix('.py')}", f"{folder}/{file}")
        for name in sorted(names):
            if name.isidentifier() and name not in _NO_PACKAGES:
                yield from _below(f"{folder}/{name}", f"{package}.{name}", file)
