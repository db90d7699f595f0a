"""The permissions, described: for ``selify permissions`` and for docs/reference/permissions.md."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

from rich.table import Table

from selify.app import WINGS, create_server
from selify.core.permissions import EVERYONE, SIGNED_IN, TEAM, Audience, Permission, vocabulary
from selify.core.settings import Settings
from selify.core.web.access import Address, addresses

# By name.
PERMISSIONS: Final[Mapping[str, Permission]] = vocabulary(
    permission for wing in WINGS for permission in wing.permissions
)
HEAD = """# Permissions

Written by `selify permissions --markdown`. A permission is named `wing.noun.verb` and held by the
least role that needs it and by every role above: owner, admin, member. Whoever lacks one is told its
name and who holds it (403, `role_too_low`); whoever is no member is told that there is no such
workspace (404). "Tables" is what its holders may do by SQL as well, under row level security.
"Scope" is what an API key of the workspace needs to do it through the API (403, `scope_missing`, where it lacks
one); what has no scope is for people alone.

| Permission | Held by | Its holder may | Asked by | Tables | Scope |
|---|---|---|---|---|---|
"""
_AUDIENCES: Final = {
    EVERYONE: "For everyone (and platforms' webhooks, which are signed)",
    SIGNED_IN: "For whoever is signed in, about themselves",
    TEAM: "For our own people (everybody else is told that there is nothing)",
}


def as_markdown() -> str:
    known = list(addresses(create_server(Settings(public_url="http://127.0.0.1"))))
    asked_by = _asked_by(known)
    rows = [
        f"| `{name}` | {', '.join(permission.roles)} | {permission.purpose} |"
        f" {'<br>'.join(asked_by[name]) or '–'} | {_tables(permission.rows) or '–'} |"
        f" {f'`{permission.scope}`' if permission.scope else '–'} |"
        for name, permission in PERMISSIONS.items()
    ]
    return HEAD + "\n".join(rows) + "\n" + "".join(_section(known, who) for who in Audience)


def as_table() -> Table:
    table = Table("permission", "held by", "its holder may")
    for name, permission in PERMISSIONS.items():
        table.add_row(name, ", ".join(permission.roles), permission.purpose)
    return table


def _asked_by(known: Iterable[Address]) -> Mapping[str, list[str]]:
    found = defaultdict(list)
    for address in known:
        if address.access is not None:
            for permission in address.access.permissions:
                found[permission.name].append(f"`{address}`")
            for permission in address.access.sometimes:
                found[permission.name].append(f"`{address}` (sometimes)")
    return found


def _tables(rows: Iterable[tuple[str, str]]) -> str:
    by_table = groupby(sorted(rows), key=lambda row: row[0])
    return "<br>".join(
        f"`{table}`: {', '.join(command for _, command in of)}" for table, of in by_table
    )


def _section(known: Iterable[Address], who: Audience) -> str:
    found = [
        f"- `{address}`\n"
        for address in known
        if address.access and not address.access.permissions and address.access.audience is who
    ]
    return f"\n## {_AUDIENCES[who]}\n\n{''.join(found)}"
