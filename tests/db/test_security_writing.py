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


async def test_what_the_server_checks_is_not_written_by_hand(db: asyncpg.Connection) -> None:
    """Not by an owner either: what the bot reads and says, and what it shows of it."""
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
    post = await db.fetchval(
        "INSERT INTO public.social_posts (connected_account_id, workspace_id, platform,"
        " platform_post_id, posted_at) VALUES ($1, $2, 'instagram', 'post-1', now()) RETURNING id",
        account, workspace,
    )  # fmt: skip
    await act(db, Actor.user(owner))
    bind = (
        "INSERT INTO public.social_posts_garment_bindings"
        " (post_id, account_id, workspace_id, garment_url, trigger_keywords)"
        " VALUES ($1, $2, $3, 'x', '{a}')"
    )
    say = (
        "INSERT INTO public.social_messages (conversation_id, sender_platform_id, message_text)"
        " VALUES ($1, 'brand-1', 'hello')"
    )
    add = (
        "INSERT INTO public.wardrobe_garments (workspace_id, storage_path, filename)"
        " VALUES ($1, $1::uuid || '/people/photo.jpg', 'photo.jpg')"
    )
    set_words = (
        """UPDATE public.workspaces SET social_platforms_config = '{"trigger_keywords": ["a"]}'"""
    )
    for statement, *values in (
        (bind, post, account, workspace),
        ("UPDATE public.social_posts_garment_bindings SET trigger_keywords = '{a}'",),
        ("DELETE FROM public.social_posts_garment_bindings",),
        (say, thread),
        ("UPDATE public.social_conversations SET category = 'primary'",),
        (add, workspace),
        ("UPDATE public.wardrobe_garments SET name = ''",),
        (set_words,),
        # It would look as if it had been forgotten already.
        ("""UPDATE public.workspaces SET settings = '{"purged_at": "today"}'""",),
    ):
        error = await refusal_of(db, statement, *values)
        assert isinstance(error, asyncpg.InsufficientPrivilegeError), statement


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
