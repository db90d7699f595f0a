"""The laws of ARCHITECTURE.md that no import linter can see."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from selify import settings_reference

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "selify"
FILES = sorted(SOURCE.rglob("*.py"))
SANDBOX_FILES = sorted((ROOT / "src" / "selify_sandbox").rglob("*.py"))
# Those we speak to, and those that the reference speaks of.
VENDORS = {
    *(path.name for path in (SOURCE / "vendors").iterdir() if (path / "__init__.py").exists()),
    *("amazon", "facebook", "google", "openai", "shopify", "stripe", "whatsapp"),
}
FOUNDATION = {"core", "db", "vendors"}
DOMAINS = tuple(
    f"{door.parent.name}/"
    for door in sorted(SOURCE.glob("*/__init__.py"))
    if door.parent.name not in FOUNDATION
)
LONGEST_FUNCTION = 60
LONGEST_FILE = 620


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE if path in FILES else ROOT / "src"))


@cache
def tree(path: Path) -> ast.Module:
    """What a file says, parsed once for all laws."""
    return ast.parse(path.read_text())


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree(path)) if isinstance(node, kinds)]


@pytest.mark.parametrize("path", [*FILES, *SANDBOX_FILES], ids=name_of)
def test_functions_are_short(path: Path) -> None:
    long = {
        function.name: function.end_lineno - function.lineno
        for function in functions(path)
        if function.end_lineno and function.end_lineno - function.lineno > LONGEST_FUNCTION
    }
    assert not long


@pytest.mark.parametrize("path", [*FILES, *SANDBOX_FILES], ids=name_of)
def test_files_are_rooms_not_halls(path: Path) -> None:
    """Declared tables are lists, and may be long."""
    if path.name != "models.py":
        assert path.read_text().count("\n") <= LONGEST_FILE


def test_a_setting_that_names_a_vendor_is_its_vendors() -> None:
    """In its own name, its default or its description."""
    guilty = [
        f"{whose}: {name}"
        for kind, whose in settings_reference.kinds().items()
        for name, field in kind.model_fields.items()
        if name in vars(kind).get("__annotations__", {}) and not whose.startswith("vendors")
        if VENDORS
        & set(re.split(r"[^a-z]+", f"{name} {field.default} {field.description}".lower()))
    ]
    assert guilty == []


def test_domain_code_cannot_commit() -> None:
    """Transactions are opened at the edge."""
    guilty = [
        name_of(path)
        for path in FILES
        if re.search(r"\"(COMMIT|ROLLBACK|BEGIN)\b", path.read_text())
        and name_of(path) != "core/database.py"
    ]
    assert not guilty


def test_whoever_takes_the_first_so_many_says_in_which_order() -> None:
    """Without an order those that always fail may stand before all others for ever."""
    takes_some = re.compile(r"\bLIMIT (?!1\b)")
    # Counting no further than so many takes none of them.
    orders = re.compile(r"\bORDER BY\b|\bSELECT count\(\*\) FROM \((?:\s|\\n)*SELECT FROM\b")
    guilty = [
        f"{name_of(path)}: {text[:80]}"
        for path in FILES
        for text in whole_strings(tree(path))
        if takes_some.search(text) and not orders.search(text)
    ]
    assert not guilty


def test_whoever_asks_whether_a_delivery_was_tried_counts_what_no_worker_lived_to_tell() -> None:
    """``attempts`` alone forgets the try that ended with its worker, which may have arrived."""
    asks = re.compile(r"\battempts\s*[<>=]=?\s*[\w$]")
    guilty = [
        f"{name_of(path)}: {line.strip()}"
        for path in FILES
        if name_of(path).startswith(DOMAINS) and "outbox" in path.read_text()
        for line in path.read_text().splitlines()
        if asks.search(line) and "lost" not in line
    ]
    assert not guilty


# Kept all the same, and why.
KEPT = {
    "QualityScores": "its members are compared one by one, by their names",
}


def test_nothing_in_a_wing_is_kept_for_tests_alone() -> None:
    """Each function has a caller in the product, each member of a dataclass a reader (what the API answers
    is read by its fields' names): but for what stands in a wing's public door, which is for whoever comes.
    """
    product = "\n".join(one.read_text() for one in [*FILES, *SOURCE.rglob("*.html")])
    named = Counter(re.findall(r"\w+", product))
    answers = "\n".join(one.read_text() for one in FILES if one.name == "schemas.py")
    fields = re.findall(r"^    (\w+): ", answers, re.MULTILINE)
    read = {*re.findall(r"\.(\w+)", product), *MATCHED.findall(product), *fields}
    kept = []
    for folder in wing_folders():
        offered = re.findall(r'^    "(\w+)",$', (folder / "__init__.py").read_text(), re.MULTILINE)
        for made in (node for path in folder.glob("*.py") for node in tree(path).body):
            if isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef):
                alone = named[made.name] == 1 and not made.decorator_list
                kept += [made.name] if alone and made.name not in KEPT else []
            elif isinstance(made, ast.ClassDef) and made.decorator_list:
                if made.name in offered or made.name in KEPT:
                    continue
                members = [one.target for one in made.body if isinstance(one, ast.AnnAssign)]
                names = [one.id for one in members if isinstance(one, ast.Name)]
                kept += [f"{made.name}.{name}" for name in names if name not in read]
    assert kept == []
    assert {name for name in KEPT if named[name] > 0} == KEPT.keys()


def wing_folders() -> list[Path]:
    """Every folder that plugs itself in."""
    folders = [path.parent for path in SOURCE.glob("*/wiring.py") if path.parent.name != "core"]
    assert len(folders) >= 10
    return folders


MATCHED = re.compile(r"case \w+\((\w+)=")


def test_a_domain_asks_the_clock_and_not_the_database_what_time_it_is() -> None:
    """Statements get the time as a parameter. What PostgreSQL enforces by itself (``db``) and declared
    defaults have its own clock.
    """
    asks = re.compile(
        r"\bcurrent_(date|time|timestamp)\b|\blocaltime(stamp)?\b"
        r"|\b(now|(clock|statement|transaction)_timestamp)\(\)",
        re.IGNORECASE,
    )
    guilty = [
        f"{name_of(path)}: {text[:80]}"
        for path in FILES
        if not name_of(path).startswith("db/") and path.name != "models.py"
        for text in whole_strings(tree(path))
        if asks.search(text) and (name_of(path), text) not in ITS_OWN_CLOCK
    ]
    assert not guilty


# A membership ends by the clock that row level security asks: by another one, a page would open whose
# rows nobody sees.
ITS_OWN_CLOCK = {("auth/workspaces.py", "'(m.expires_at IS NULL OR m.expires_at > now())'")}


def whole_strings(tree: ast.AST) -> list[str]:
    """Every string as it is written, one with expressions in it as one."""
    if isinstance(tree, ast.JoinedStr | ast.Constant):
        return [ast.unparse(tree)]
    return [text for child in ast.iter_child_nodes(tree) for text in whole_strings(child)]


def test_money_is_never_a_float() -> None:
    billing = [path for path in FILES if name_of(path).startswith("billing/")]
    assert billing
    for path in billing:
        for node in ast.walk(tree(path)):
            annotation = getattr(node, "annotation", None)
            assert not (isinstance(annotation, ast.Name) and annotation.id == "float"), (
                f"{name_of(path)}:{node.lineno} holds a float"
            )


def test_every_law_in_the_map_names_a_test_that_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    laws = text.split("## Laws", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in laws.splitlines() if line.startswith("| ") and "`tests/" in line]
    assert len(rows) >= 8
    for row in rows:
        for path in re.findall(r"`(tests/[\w./]+)`", row):
            assert (ROOT / path).exists(), path


QUEUE_TABLES = re.compile(r"\b(internal\.(outbox|jobs|routine_turns)|(public\.)?webhook_events)\b")


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_queues_speak_to_their_tables(path: Path) -> None:
    """Wings ask ``core.queue``; what PostgreSQL itself enforces lies in ``db``."""
    if name_of(path).startswith(("core/queue/", "db/")):
        return
    statements = [
        text
        for text in whole_strings(tree(path))
        if re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|JOIN)\b", text)
        and QUEUE_TABLES.search(text)
    ]
    assert statements == []
