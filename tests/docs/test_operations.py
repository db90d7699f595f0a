"""The operator's page is true: what it names exists, and what it says to run was run."""

import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer.main
import yaml
from prometheus_client.metrics import MetricWrapperBase
from tests.docs.test_docs import DOCUMENTS, ROOT
from tests.infra.postgres import named

from selify import cli, settings_reference
from selify.core import discovery
from selify.db import embedded, migrate

PAGE = (ROOT / "docs" / "operations.md").read_text()
ALERTS = yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
# `sudo -u selify` names a user.
COMMAND = re.compile(r"(?:(?<=bin/)|(?<![\w./-]))(?<!-u )selify ((?:[a-z][a-z-]*(?: |\b))+)(.*)")
# What others count: Prometheus itself, and its exporter that asks addresses.
OF_OTHERS = {"up", "probe_success"}
# Read before there are settings, or said by one process of ours to another.
NO_SETTING = {"SELIFY_SETTINGS_FILE", "SELIFY_SUPERVISED", "SELIFY_PROGRAM"}


def counted() -> dict[str, tuple[str, ...]]:
    """Our metrics, by the names under which they are scraped, with their labels."""
    found = {}
    brought = [module.load() for module in discovery.ours("metrics")]
    for one in (value for module in brought for value in vars(module).values()):
        if isinstance(one, MetricWrapperBase):
            (described,) = one.describe()
            total = "_total" if described.type == "counter" else ""
            found[described.name + total] = tuple(one._labelnames)
    return found


def asked_of(words: list[str]) -> Any:
    """The command that these words lead to, the rest being what it is given; None: there is none."""
    command: Any = typer.main.get_command(cli.app)
    for word in words:
        if not hasattr(command, "commands"):
            return command
        # By its own way: of packages beside us, too.
        command = command.get_command(typer.Context(command), word)
    return command


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(path: Path) -> None:
    for code in CODE.findall(path.read_text()):
        for words, rest in COMMAND.findall(code):
            command = asked_of(words.split())
            assert command is not None, f"{path.name} names selify {words}"
            options = {name for one in command.params for name in one.opts} | {"--help"}
            named_options = set(re.findall(r"(?<!\S)--[a-z-]+", rest))
            assert named_options <= options, f"{path.name}: selify {words}{rest}"


def test_a_command_that_does_not_exist_would_be_found() -> None:
    assert asked_of(["no-such-command"]) is None
    assert asked_of(["events", "no-such-command"]) is None
    assert (
        COMMAND.findall("SELIFY_PORT=1 .venv/bin/selify events replay ID")[0][0] == "events replay "
    )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    fields = {name for kind in settings_reference.kinds() for name in kind.model_fields}
    known = {f"SELIFY_{name.upper()}" for name in fields} | NO_SETTING
    assert set(re.findall(r"\bSELIFY_[A-Z_]*[A-Z]\b", path.read_text())) <= known


def test_every_metric_is_explained_with_its_labels() -> None:
    rows = re.findall(r"^\| `(selify_\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE)
    explained = {
        name: tuple(label for label in labels.strip().split(", ") if label != "–")
        for name, labels in rows
    }
    assert explained == counted()


def test_alerts_ask_for_what_is_counted() -> None:
    for rule in RULES:
        series = re.findall(r"\b([a-z_]+)(?=\{|\[)|\b(selify_\w+)", rule["expr"])
        names = {first or second for first, second in series}
        assert names, rule["alert"]
        plain = {re.sub(r"_bucket$", "", name) for name in names}
        assert plain <= set(counted()) | OF_OTHERS, rule["alert"]
        for name, labels in re.findall(r"\b(selify_\w+)\{([^}]*)\}", rule["expr"]):
            asked = set(re.findall(r"(\w+)\s*(?:=~|!=|=)", labels))
            assert asked <= set(counted()[name]), rule["alert"]


def test_alerts_ask_for_values_that_are_counted() -> None:
    """A word of the source, or (a delivery's outcome) the name of a class in it."""
    source = "\n".join(path.read_text() for path in (ROOT / "src" / "selify").rglob("*.py"))
    for rule in RULES:
        for labels in re.findall(r"\bselify_\w+\{([^}]*)\}", rule["expr"]):
            for values in re.findall(r"=~?\"([^\"]+)\"", labels):
                for value in values.split("|"):
                    a_class = re.search(rf"^class {value.title()}\b", source, re.MULTILINE)
                    assert f'"{value}"' in source or a_class, f"{rule['alert']}: {value}"


def test_each_alert_says_what_to_do_and_each_that_the_page_names_exists() -> None:
    headings = set(re.findall(r"^### (.+)$", PAGE, re.MULTILINE))
    for rule in RULES:
        assert rule["annotations"]["runbook"] in headings, rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(re.findall(r"\bSelify[A-Z]\w+", PAGE)) <= {rule["alert"] for rule in RULES}


def test_each_trouble_says_what_not_to_do() -> None:
    troubles = PAGE.partition("## What to do when …")[2].split("\n### ")[1:]
    assert len(troubles) >= 14
    for trouble in troubles:
        assert "- **Do not** " in trouble or "do **not**" in trouble, trouble.splitlines()[0]


def test_what_is_quoted_stands_on_a_page_or_in_the_log() -> None:
    files = (path for kind in ("py", "html") for path in (ROOT / "src").rglob(f"*.{kind}"))
    source = "\n".join(path.read_text() for path in files)
    headings = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    quoted = re.findall(r"“([^”]+)”", " ".join(PAGE.split()))
    assert len(quoted) > 12
    for words in quoted:
        assert words in source or words in headings, words


async def test_the_roles_of_ones_own_postgresql_are_those_it_needs(tmp_path: Path) -> None:
    """Both blocks of SQL, run as they stand on a server that has none of the roles."""
    as_superuser, in_it = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    server = embedded.start(tmp_path / "postgres")
    try:
        admin = await asyncpg.connect(named(server.url, "postgres"))
        await admin.execute("DROP DATABASE selify")
        for statement in filter(str.strip, as_superuser.split(";")):
            await admin.execute(statement)
        await admin.close()
        ours = await asyncpg.connect(server.url)
        await ours.execute(in_it)
        await ours.close()
        await migrate.upgrade(server.url.replace("postgres@", "selify_owner@"))
        await migrate.check(server.login_url)
        assert not await migrate.owner_rights(server.login_url)
    finally:
        server.stop()
