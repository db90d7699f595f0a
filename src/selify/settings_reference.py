"""The settings, described: for ``selify settings`` and for docs/reference/settings.md.

Ours, and those of packages installed beside us (``core/discovery.py``).
"""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from rich.table import Table

from selify.core import discovery
from selify.core.settings import SECRET, SETTINGS_FILE, Settings, SettingsWrong, load, parts

HEAD = f"""# Settings

Written by `selify settings --markdown`. Every setting is read from the environment or from
`{SETTINGS_FILE}` in the working directory (or the file named by `SELIFY_SETTINGS_FILE`); the
environment wins. What is left alone means the embedded default. Each stands in the `settings.py` of
its wing.

| Setting | Default | What it is for | Wing |
|---|---|---|---|
"""


def as_markdown() -> str:
    rows = [
        f"| `{_variable(name)}` | {_default(field)} | {field.description} | {wing} |"
        for kind, wing in kinds().items()
        for name, field in _own_fields(kind).items()
    ]
    return HEAD + "\n".join(rows) + "\n"


def as_table() -> Table:
    """Values in force; secrets are only said to be set or not. Raises SettingsWrong."""
    every = kinds()
    settings = load(*(kind for kind, wing in every.items() if wing.startswith(discovery.BESIDE)))
    table = Table("setting", "value", "what it is for")
    for kind in every:
        for name, field in _own_fields(kind).items():
            value = getattr(settings, name)
            shown = "(set)" if value and SECRET in field.metadata else _shown(value)
            table.add_row(_variable(name), shown, field.description)
    return table


def kinds() -> Mapping[type[Settings], str]:
    """Every class of settings, and whose it is."""
    try:
        return parts(discovery.found("settings"))
    except ImportError as error:
        raise SettingsWrong(
            f"The settings of a package cannot be loaded: {error}.",
            hint="Install that package again, or remove it.",
        ) from error


def _own_fields(kind: type[Settings]) -> dict[str, FieldInfo]:
    """Those it does not inherit."""
    own = vars(kind).get("__annotations__", {})
    return {name: field for name, field in kind.model_fields.items() if name in own}


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
