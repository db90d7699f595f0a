"""Each wing's ``__init__.py`` says in three sentences what it owns, what it offers and what it needs, and says
the truth: a folder can be read alone.

A wing whose behaviour has not moved in yet, declared tables and the permissions on them, has one plain sentence.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.architecture.test_laws import SOURCE, tree
from tests.architecture.test_table_owners import NAMED, owners, written

# What each wing may have under the same name, found by it or asked for by whoever collects.
OF_EVERY_WING = {"commands", "metrics", "models", "pages", "permissions", "settings", "wiring"}
WINGS = sorted(
    str(door.parent.relative_to(SOURCE))
    for door in (*SOURCE.glob("*/__init__.py"), *SOURCE.glob("vendors/*/__init__.py"))
    if door.parent.name != "core"
)
SAYS = re.compile(r"\n\nOwns (?P<owns>.+?)\nOffers (?P<offers>.+?)\nNeeds (?P<needs>.+)", re.DOTALL)
SENTENCE = re.compile(r"[^.]+\.")


def files_of(wing: str) -> Iterator[Path]:
    """Not those of each vendor, which speaks for itself, for what vendors share."""
    for path in (SOURCE / wing).rglob("*.py"):
        if whose(path) == wing:
            yield path


def whose(path: Path) -> str:
    """The folder of the wing, or nobody's: the composition root and what runs it."""
    relative = str(path.relative_to(SOURCE))
    return max(
        (wing for wing in WINGS if relative.startswith(f"{wing}/")), key=len, default="nobody"
    )


def has_moved_in(wing: str) -> bool:
    own = {path.relative_to(SOURCE / wing).parts[0] for path in files_of(wing)}
    return bool(own - {"__init__.py", "models.py", "permissions.py", "wiring.py"})


MOVED_IN = [wing for wing in WINGS if has_moved_in(wing)]


def docstring(wing: str) -> str:
    said = ast.get_docstring(tree(SOURCE / wing / "__init__.py"))
    assert said
    return said


def said(wing: str, what: str) -> str:
    found = SAYS.search(docstring(wing))
    assert found, f"{wing} does not say what it owns, offers and needs"
    return found[what]


def names(sentence: str) -> set[str]:
    return set(re.findall(r"``([\w.]+)``", sentence))


@cache
def imports(path: Path) -> set[str]:
    """What a file takes of our wings, such as ``messaging.ports.Platform``."""
    taken = set()
    for node in ast.walk(tree(path)):
        match node:
            case ast.ImportFrom(module=str() as module, level=0, names=some):
                taken |= {f"{module}.{one.name}" for one in some}
            case ast.Import(names=some):
                taken |= {one.name for one in some}
    ours = {name.removeprefix("selify.") for name in taken if name.startswith("selify.")}
    return {name for name in ours if (SOURCE / name.split(".")[0]).is_dir()}


def wing_of(name: str) -> str:
    """That a name belongs to: ``vendors.fal.client`` to fal, ``vendors.hosted`` to what vendors share."""
    path = name.replace(".", "/")
    return max((wing for wing in WINGS if f"{path}/".startswith(f"{wing}/")), key=len, default="")


def needed(wing: str) -> set[str]:
    """Other wings it takes something from. Core is everybody's, and so is the base of declared tables; and
    vendors and what they share are one house.
    """
    taken = {
        wing_of(name)
        for path in files_of(wing)
        for name in imports(path)
        if not (path.name == "models.py" and name.startswith("db.base."))
    }
    return {
        other
        for other in taken - {wing, ""}
        if not (wing.startswith("vendors") and other.startswith("vendors"))
    }


def entered(wing: str) -> set[str]:
    """Its modules that others take something from."""
    return {
        name.removeprefix(f"{wing.replace('/', '.')}.").split(".")[0]
        for path in SOURCE.rglob("*.py")
        if whose(path) != wing
        for name in imports(path)
        if wing_of(name) == wing
    } - {wing}


@cache
def classes() -> set[str]:
    code = "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))
    return set(re.findall(r"^class (\w+)\b", code, re.MULTILINE))


def door(wing: str) -> set[str]:
    """The names in its ``__all__``."""
    for node in tree(SOURCE / wing / "__init__.py").body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def owned(wing: str) -> set[str]:
    """The public tables it declares, and those of other schemas that it writes."""
    declared = {table.removeprefix("public.") for table, owner in owners().items() if owner == wing}
    writes = {
        table
        for path, tables in written(SOURCE).items()
        if whose(SOURCE / path) == wing
        for table in tables
        if NAMED.fullmatch(table) and not table.startswith("public.")
    }
    return declared | writes


@pytest.mark.parametrize("wing", MOVED_IN)
def test_a_wing_says_what_it_owns(wing: str) -> None:
    sentence = said(wing, "owns")
    assert names(sentence) == owned(wing)
    assert bool(names(sentence)) != sentence.startswith("no table")


@pytest.mark.parametrize("wing", MOVED_IN)
def test_a_wing_says_which_others_it_needs(wing: str) -> None:
    sentence = said(wing, "needs")
    assert names(sentence) & set(WINGS) == needed(wing)
    assert bool(needed(wing)) != sentence.startswith("no other wing")


@pytest.mark.parametrize("wing", MOVED_IN)
def test_a_wing_names_no_port_that_is_not_there(wing: str) -> None:
    ports = names(said(wing, "needs")) - set(WINGS)
    assert {port.split(".")[0] for port in ports} <= classes()


@pytest.mark.parametrize("wing", MOVED_IN)
def test_a_wing_says_what_it_offers(wing: str) -> None:
    """Every module through which others come in, and none that is not there."""
    offered = names(said(wing, "offers")) | door(wing)
    assert entered(wing) - OF_EVERY_WING <= offered
    assert ("the names below" in said(wing, "offers")) == bool(door(wing))
    modules = {path.stem for path in (SOURCE / wing).iterdir()}
    assert names(said(wing, "offers")) - door(wing) <= modules


@pytest.mark.parametrize("wing", [wing for wing in WINGS if wing not in MOVED_IN])
def test_a_wing_of_the_future_says_so_in_a_sentence(wing: str) -> None:
    assert SENTENCE.fullmatch(docstring(wing))


def test_there_are_wings_of_both_kinds() -> None:
    assert {"auth", "tryon", "vendors", "vendors/instagram"} <= set(MOVED_IN)
    assert {"qa", "support"} <= set(WINGS) - set(MOVED_IN)
