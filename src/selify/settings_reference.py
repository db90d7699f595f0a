"""The settings, described: for ``selify settings`` and for docs/reference/settings.md.

A package installed beside us adds its own with an entry point of the group ``selify.settings``: a
class that inherits from ``Settings``.
"""

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from rich.table import Table

from selify.core.settings import SETTINGS_FILE, Settings, load_as

INSTALLED = "selify.settings"
_SECRET = ("secret_keys", "instagram_previous_secrets", "database_url", "database_owner_url")
HEAD = f"""# Settings

Written by `selify settings --markdown`. Every setting is read from the environment or from
`{SETTINGS_FILE}` in the working directory (or the file named by `SELIFY_SETTINGS_FILE`); the
environment wins. What is left alone means the embedded default.

| Setting | Default | What it is for |
|---|---|---|
"""


def as_markdown() -> str:
    rows = [
        f"| `{_variable(name)}` | {_default(field)} | {field.description} |"
        for kind in kinds()
        for name, field in _own_fields(kind)
    ]
    return HEAD + "\n".join(rows) + "\n"


def as_table() -> Table:
    """Values in force; secrets are only said to be set or not. Raises SettingsWrong."""
    table = Table("setting", "value", "what it is for")
    for kind in kinds():
        settings = load_as(kind)
        for name, field in _own_fields(kind):
            value = getattr(settings, name)
            shown = "(set)" if value and name in _SECRET else _shown(value)
            table.add_row(_variable(name), shown, field.description)
    return table


def kinds() -> Iterator[type[Settings]]:
    """Ours, and those of packages beside us."""
    yield Settings
    for found in entry_points(group=INSTALLED):
        yield found.load()


def _own_fields(kind: type[Settings]) -> list[tuple[str, FieldInfo]]:
    """Those it does not inherit."""
    inherited = Settings.model_fields if kind is not Settings else {}
    return [(name, field) for name, field in kind.model_fields.items() if name not in inherited]


def _variable(name: str) -> str:
    return f"SELIFY_{name.upper()}"


def _default(field: FieldInfo) -> str:
    shown = _shown(field.default)
    return f"`{shown}`" if shown else "–"


def _shown(value: Any) -> str:
    match value:
        case SecretStr():
            return "(set)" if value.get_secret_value() else ""
        case tuple():
            return " ".join(value)
        case _:
            return str(value)
