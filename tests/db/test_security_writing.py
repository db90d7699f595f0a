"""What users write names only what is theirs: files, senders, settings."""

import asyncpg
import pytest
from tests.infra.worlds import act, new_workspace, refusal_of, sign_up

from selify.core.database import Actor


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("{mine}/garments/a.png", True),
        ("workspaces/{mine}/a.png", True),
        ("{theirs}/garments/a.png", False),
        ("garments/{mine}-a.png", False),
        ("{mine}/../{theirs}/a.png", False),
        ("{mine}/..", False),
        ("/etc/passwd", False),
    ],
)
async def test_paths_run_through_the_workspaces_own_folder(
    db: asyncpg.Connection, path: str, own: bool
) -> None:
    owner = await sign_up(db, "owner")
    workspace = await new_workspace(db, owner)
    await act(db, Actor.user(owner))
    insert = "INSERT INTO public.studio_models (workspace_id, storage_path) VALUES ($1, $2)"
    stored = path.format(mine=workspace, theirs="7d9f7a35-0000-4000-8000-000000000000")
    if own:
        assert await db.execute(insert, workspace, stored) == "INSERT 0 1"
    else:
        error = await refusal_of(db, insert, workspace, stored)
        assert isinstance(error, asyncpg.InsufficientPrivilegeError)


async def test_members_write_as_the_account_never_as_a_customer(db: asyncpg.Connection) -> None:
    owner = await sign_up(db, "owner")
    workspace = await new_workspace(db, owner)
    account = await db.fetchval(
        "INSERT INTO public.connected_social_accounts (workspace_id, platform, platform_account_id,"
        " access_token) VALUES ($1, 'instagram', 'brand-1', 'sealed') RETURNING id", workspace,
    )  # fmt: skip
    thread = await db.fetchval(
        "INSERT INTO public.social_conversations (workspace_id, connected_account_id, platform,"
        " platform_user_id) VALUES ($1, $2, 'instagram', 'customer-1') RETURNING id",
        workspace, account,
    )  # fmt: skip
    await act(db, Actor.user(owner))
    write = (
        "INSERT INTO public.social_messages (conversation_id, sender_platform_id, message_text)"
        " VALUES ($1, $2, 'hello')"
    )
    assert await db.execute(write, thread, "brand-1") == "INSERT 0 1"
    for forged in ("customer-1", "someone-else"):
        error = await refusal_of(db, write, thread, forged)
        assert isinstance(error, asyncpg.InsufficientPrivilegeError)


MAILBOX = """
INSERT INTO public.user_email_accounts (user_id, email, imap_host, smtp_host, password_encrypted)
VALUES ($1, 'me@brand.example', 'imap.brand.example', 'smtp.brand.example', 'sealed once')
"""


@pytest.mark.parametrize(
    "elsewhere",
    [
        "imap_host = 'evil.example'",
        "smtp_host = 'evil.example'",
        "imap_port = 1",
        "smtp_secure = false",
    ],
)
async def test_a_mailbox_moves_only_with_its_password(
    db: asyncpg.Connection, elsewhere: str
) -> None:
    user = await sign_up(db, "user")
    await db.execute(MAILBOX, user)
    for actor in (Actor.user(user), Actor.system("test")):
        await act(db, actor)
        move = f"UPDATE public.user_email_accounts SET {elsewhere}"
        refused = await refusal_of(db, move)
        assert refused.constraint_name == "secret_entered_again"
        assert refused.hint
        await db.execute("UPDATE public.user_email_accounts SET display_name = 'Me'")
        await db.execute("SAVEPOINT moved")
        assert await db.execute(f"{move}, password_encrypted = 'sealed again'") == "UPDATE 1"
        await db.execute("ROLLBACK TO SAVEPOINT moved; RESET ROLE")


async def test_what_holds_no_secret_may_be_sent_anywhere(db: asyncpg.Connection) -> None:
    """An installation whose token was thrown away has nothing to lose."""
    await db.execute(
        "INSERT INTO public.pending_shopify_installations (shop, access_token)"
        " VALUES ('a.example', 'sealed')"
    )
    move = "UPDATE public.pending_shopify_installations SET shop = 'b.example'"
    assert (await refusal_of(db, move)).constraint_name == "secret_entered_again"
    assert await db.execute(f"{move}, access_token = ''") == "UPDATE 1"
