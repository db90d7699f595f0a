"""A workspace is deleted and comes back: what ends with it stays ended, and what it was called stays its own."""

from datetime import timedelta

import pytest
from tests.auth.nordlicht import API, Nordlicht, nordlicht

from selify.auth import KEPT_FOR

__all__ = ["nordlicht"]


async def delete(nordlicht: Nordlicht, who: str = "olga") -> int:
    return await nordlicht.status(who, "POST", nordlicht.at("/delete"), {"name": "Nordlicht"})


async def restore(nordlicht: Nordlicht, who: str = "olga") -> int:
    return await nordlicht.status(who, "POST", nordlicht.at("/restore"))


async def slug(nordlicht: Nordlicht) -> str:
    [row] = await nordlicht.run("SELECT slug FROM public.workspaces WHERE id = $1", nordlicht.id)
    found: str = row["slug"]
    return found


@pytest.fixture
async def invited(nordlicht) -> None:
    """Two open invitations, automatic reload, and a connected account."""
    for name in ("stranger", "team"):
        await nordlicht.run(
            "INSERT INTO public.workspace_members (workspace_id, user_id, role, invited_at)"
            " VALUES ($1, $2, 'admin', now())",
            nordlicht.id,
            nordlicht[name].id,
        )
    await nordlicht.run(
        "UPDATE public.workspace_auto_reload_settings SET enabled = true WHERE workspace_id = $1",
        nordlicht.id,
    )
    await nordlicht.run(
        "INSERT INTO public.connected_social_accounts"
        " (workspace_id, platform, platform_account_id, access_token, status)"
        " VALUES ($1, 'instagram', 'one', 'sealed', 'active')",
        nordlicht.id,
    )


async def state(nordlicht: Nordlicht) -> tuple[bool, str, int]:
    """Whether it buys credits, how its account is, and how many invitations are open."""
    [row] = await nordlicht.run(
        """
        SELECT s.enabled, a.status,
               (SELECT count(*) FROM public.workspace_members m
                 WHERE m.workspace_id = s.workspace_id AND m.joined_at IS NULL
                   AND m.invited_at IS NOT NULL) AS invitations
          FROM public.workspace_auto_reload_settings s
          JOIN public.connected_social_accounts a ON a.workspace_id = s.workspace_id
         WHERE s.workspace_id = $1
        """,
        nordlicht.id,
    )
    return row["enabled"], row["status"], row["invitations"]


async def test_at_once_nothing_of_it_runs_and_nobody_enters(nordlicht, invited) -> None:
    assert await state(nordlicht) == (True, "active", 2)
    assert await delete(nordlicht) == 204
    assert await state(nordlicht) == (False, "disconnected", 0)
    [notice] = await nordlicht.told("workspace_deleted")
    assert notice["everyone"] is True
    for who in ("olga", "adam", "max", "stranger"):
        assert await nordlicht.status(who, "GET", nordlicht.at("/members")) == 404
        assert await nordlicht.status(who, "GET", nordlicht.at("/ownership")) == 404
        async with nordlicht.house.database.tx(nordlicht[who].actor) as tx:
            assert not await tx.fetch("SELECT FROM public.workspaces WHERE id = $1", nordlicht.id)
            assert not await tx.fetch("SELECT FROM public.connected_social_accounts")


async def test_its_slug_stays_taken(nordlicht) -> None:
    own = await slug(nordlicht)
    await delete(nordlicht)
    made = await nordlicht["stranger"].ask("POST", API, {"name": "Nordlicht", "slug": own})
    assert made.status_code == 201
    assert made.json()["slug"].startswith(f"{own}-")
    assert await restore(nordlicht) == 204
    assert await slug(nordlicht) == own


async def test_what_comes_back_and_what_stays_ended(nordlicht, invited) -> None:
    before = await nordlicht.roles()
    await delete(nordlicht)
    await nordlicht.run("UPDATE public.workspaces SET deleted_at = deleted_at - interval '18 days'")
    assert await restore(nordlicht, "adam") == 403
    assert await restore(nordlicht, "stranger") == 404
    assert await restore(nordlicht) == 204
    gone = {"stranger", "team"}
    assert await nordlicht.roles() == {n: r for n, r in before.items() if n not in gone}
    assert await state(nordlicht) == (False, "disconnected", 0)
    for name in gone:
        assert await nordlicht.status(name, "GET", nordlicht.at("/members")) == 404


async def test_thirty_days_count_from_the_last_deletion(nordlicht) -> None:
    await delete(nordlicht)
    await restore(nordlicht)
    nordlicht.house.clock.advance(timedelta(hours=1))
    await delete(nordlicht)
    await nordlicht.run(
        "UPDATE public.workspaces SET deleted_at = deleted_at - $1::interval WHERE id = $2",
        KEPT_FOR,
        nordlicht.id,
    )
    answer = await nordlicht["olga"].ask("POST", nordlicht.at("/restore"))
    assert answer.status_code == 410, "until it is forgotten; then there is nothing (404)"
    deleted = await nordlicht["olga"].ask("GET", f"{API}/deleted")
    assert deleted.json() == {"workspaces": []}


async def test_any_owner_who_is_signed_in_brings_it_back(nordlicht) -> None:
    """Who may bring it back is asked of its members of that moment."""
    await nordlicht.make("olga", "owner", "adam")
    await delete(nordlicht, "adam")
    await nordlicht.run("DELETE FROM auth.sessions WHERE user_id = $1", nordlicht["olga"].id)
    assert await restore(nordlicht, "olga") == 401
    assert await restore(nordlicht, "adam") == 204
