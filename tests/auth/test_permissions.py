"""What a refusal says, and what the API's own description says of permissions."""

import pytest
from tests.infra.settings import Settings

from selify.app import create_server
from selify.auth.permissions import BRAND_DELETE, MEMBERS_CHANGE, RoleTooLow, check_held
from selify.core.permissions import ADMIN, MEMBER, OWNER


def test_a_refusal_says_what_is_missing_and_who_has_it() -> None:
    with pytest.raises(RoleTooLow) as refused:
        check_held(MEMBERS_CHANGE, MEMBER, workspace="Nordlicht")
    refusal = refused.value
    assert refusal.detail == (
        "Only owners and admins of Nordlicht may give members another role; you are a member."
    )
    assert refusal.hint == (
        "Ask an owner or an admin. What you are missing is called workspace.members.change."
    )
    assert refusal.extra == {
        "permission": "workspace.members.change",
        "held_by": ["owner", "admin"],
    }


def test_whoever_holds_it_may() -> None:
    check_held(BRAND_DELETE, OWNER, workspace="Nordlicht")
    for role in (ADMIN, MEMBER):
        with pytest.raises(RoleTooLow, match="Only owners of Nordlicht may delete the brand"):
            check_held(BRAND_DELETE, role, workspace="Nordlicht")


def test_the_api_says_which_permission_each_operation_asks_for() -> None:
    paths = create_server(Settings()).openapi()["paths"]
    member = paths["/api/v1/workspaces/{workspace_id}/members/{user_id}"]
    assert member["patch"]["x-permission"] == ["workspace.members.change"]
    assert member["patch"]["description"].endswith(
        "\n\nPermission: `workspace.members.change` (owner, admin)."
        " For some requests: `workspace.owners.change` (owner)."
    )
    said = {
        path: operation.get("x-permission")
        for path, operations in paths.items()
        for operation in operations.values()
    }
    assert [
        path
        for path in said
        if "{workspace_id}" in path and "/admin/" not in path and not said[path]
    ] == []
    assert said["/api/v1/auth/me"] is None
