"""Permissions are one vocabulary: said once by each wing, asked by name, and never as a role."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.architecture.test_laws import tree
from tests.infra.settings import Settings

from selify import permissions_reference
from selify.app import create_server
from selify.core.permissions import EVERYONE, MEMBER, SIGNED_IN, Permission, allows, vocabulary
from selify.core.web.access import addresses

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "selify"
KERNEL = SOURCE / "core" / "permissions.py"
WINGS = sorted({*SOURCE.glob("*/permissions.py")} - {KERNEL})
SCOPES = SOURCE / "auth" / "api_keys" / "scopes.py"
# Where a role is a word of its own: what a membership holds, and who holds a permission.
MAY_NAME_ROLES = (KERNEL, *(SOURCE / "auth").glob("*.py"), SCOPES, *WINGS)
ROLES = {"WorkspaceRole", "OWNER", "ADMIN", "MEMBER"}


def wing_of(path: Path) -> str:
    return {"auth": "workspace"}.get(path.parent.name, path.parent.name)


def words(tree: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def roles_named(path: Path) -> set[str]:
    """As a role, not as what it may be called elsewhere: it is imported from where roles are."""
    imported = {
        name.asname or name.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith(("selify.auth", "selify.core.permissions"))
        for name in node.names
    }
    return imported & ROLES


def test_nobody_else_names_a_role() -> None:
    files = [path for path in SOURCE.rglob("*.py") if path not in MAY_NAME_ROLES]
    assert {str(path): roles for path in files if (roles := roles_named(path))} == {}
    assert roles_named(SOURCE / "messaging" / "permissions.py")


def test_nobody_else_decides_by_a_role() -> None:
    decides = re.compile(
        r"(?<!self)\.role *(==|!=|is\b|in\b)|role\.includes\(|\bis_(owner|admin)\b"
    )
    files = [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.html")]
    guilty = [
        f"{path.relative_to(SOURCE)}: {line.strip()}"
        for path in files
        if path not in MAY_NAME_ROLES
        for line in path.read_text().splitlines()
        if decides.search(line)
    ]
    assert guilty == []


def declared(path: Path) -> dict[str, str]:
    """The permissions of a wing, by the name of their constant."""
    return {
        node.target.id: ast.literal_eval(node.value.args[0])
        for node in tree(path).body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Call)
    }


@pytest.mark.parametrize("path", WINGS, ids=wing_of)
def test_each_wing_says_its_own_words(path: Path) -> None:
    found = declared(path)
    for constant, name in found.items():
        assert name == f"{wing_of(path)}.{constant.lower().replace('_', '.')}"
    known = {name for name in permissions_reference.PERMISSIONS if name in found.values()}
    assert known == set(found.values()), "left out of its PERMISSIONS, or the wing of the list"


def test_each_permission_is_asked_for_or_opens_rows() -> None:
    app = create_server(Settings())
    asked = {
        permission.name
        for address in addresses(app)
        if address.access
        for permission in (*address.access.permissions, *address.access.sometimes)
    }
    known = permissions_reference.PERMISSIONS
    assert asked <= set(known)
    assert {name for name, one in known.items() if not one.rows} <= asked


def test_every_address_says_whom_it_is_for() -> None:
    known = list(addresses(create_server(Settings())))
    assert [str(address) for address in known if address.access is None] == []
    assert len(known) > 70


def endpoints() -> Iterator[tuple[str, ast.AsyncFunctionDef]]:
    """Functions that say whom they are for."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.AsyncFunctionDef) and _said(node):
                yield f"{path.relative_to(SOURCE)}: {node.name}", node


def _said(endpoint: ast.AsyncFunctionDef) -> list[ast.Call]:
    return [
        one
        for one in endpoint.decorator_list
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "allows"
    ]


def _asked(endpoint: ast.AsyncFunctionDef) -> list[str]:
    """What the function itself asks ``access_workspace``; nothing where use case or page does."""
    calls = [
        node
        for node in ast.walk(endpoint)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("access_workspace")
    ]
    return [ast.unparse(call.args[2]) if len(call.args) > 2 else "nothing" for call in calls]


def test_an_endpoint_asks_for_what_it_says() -> None:
    differ, compared = {}, 0
    for name, endpoint in endpoints():
        said = [ast.unparse(argument) for argument in _said(endpoint)[0].args]
        asked = _asked(endpoint)
        compared += bool(asked)
        if asked and asked != said:
            differ[name] = (said, asked)
    assert differ == {}
    assert compared > 15


@pytest.mark.parametrize("name", ["members.invite", "Workspace.members.invite", "a.b.c.d", "a.b."])
def test_a_permission_has_three_words(name: str) -> None:
    with pytest.raises(ValueError, match=r"wing\.noun\.verb"):
        Permission(name, MEMBER, "do it")


@pytest.mark.parametrize("scope", ["conversations", "conversations:delete", "a:b:read", ""])
def test_a_scope_reads_or_writes(scope: str) -> None:
    with pytest.raises(ValueError, match="nouns:read"):
        Permission("a.b.c", MEMBER, "do it", scope=scope)


def test_scopes_are_few_and_no_key_manages_people_or_keys() -> None:
    scopes = {one.scope for one in permissions_reference.PERMISSIONS.values() if one.scope}
    assert scopes == {
        "accounts:read",
        "billing:read",
        "bot:read",
        "bot:write",
        "changes:read",
        "conversations:read",
        "conversations:write",
        "posts:read",
        "posts:write",
        "tryons:read",
        "wardrobe:read",
        "wardrobe:write",
    }
    of_workspaces = [one for one in permissions_reference.PERMISSIONS.values() if one.scope]
    assert {one.name for one in of_workspaces if one.name.startswith("workspace.")} == {
        "workspace.brand.read"
    }


def test_a_word_is_said_once() -> None:
    one, other = (Permission("a.b.c", MEMBER, purpose) for purpose in ("do it", "do that"))
    assert vocabulary([one, one]) == {"a.b.c": one}
    with pytest.raises(ValueError, match=r"a\.b\.c is declared twice"):
        vocabulary([one, other])


def test_an_endpoint_is_for_one_audience() -> None:
    permission = Permission("a.b.c", MEMBER, "do it")
    for who in ((), (EVERYONE, SIGNED_IN), (EVERYONE, permission)):
        with pytest.raises(ValueError, match="one audience"):
            allows(*who)
