"""A profile for every account: it follows the account, and others see little of it."""

import asyncpg
from tests.infra.worlds import act, refusal_of, sign_up

from selify.core.database import Actor


async def test_signing_up_makes_a_profile_that_follows_the_account(db: asyncpg.Connection) -> None:
    user = await db.fetchval(
        "INSERT INTO auth.users (email, raw_user_meta_data)"
        " VALUES ('Ana@brand.example', '{\"full_name\": \"Ana\"}') RETURNING id"
    )
    profile = await db.fetchrow("SELECT * FROM public.profiles WHERE id = $1", user)
    assert (profile["full_name"], profile["email"], profile["status"]) == (
        "Ana", "Ana@brand.example", "active",
    )  # fmt: skip
    assert len(profile["referral_code"]) == 8
    for change, status in (
        ("banned_until = now() + interval '1 day'", "banned"),
        ("banned_until = NULL", "active"),
        ("deleted_at = now()", "deleted"),
    ):
        await db.execute(f"UPDATE auth.users SET {change} WHERE id = $1", user)
        assert await db.fetchval("SELECT status FROM public.profiles WHERE id = $1", user) == status


async def test_referral_codes_are_readable_and_differ(db: asyncpg.Connection) -> None:
    codes = await db.fetch(
        "SELECT internal.new_referral_code() AS code FROM generate_series(1, 500)"
    )
    assert len({row["code"] for row in codes}) == 500
    assert set("".join(row["code"] for row in codes)) == set("ABCDEFGHJKLMNPQRSTUVWXYZ23456789")


async def test_an_e_mail_address_has_one_account(db: asyncpg.Connection) -> None:
    insert = "INSERT INTO auth.users (email) VALUES ($1)"
    await db.execute(insert, "one@brand.example")
    assert isinstance(
        await refusal_of(db, insert, "One@Brand.example"), asyncpg.UniqueViolationError
    )


async def test_one_reads_all_of_ones_own_profile_and_little_of_others(
    db: asyncpg.Connection,
) -> None:
    user, other = await sign_up(db, "user"), await sign_up(db, "other")
    await act(db, Actor.user(user))
    mine = await db.fetch("SELECT id, email, referral_code FROM public.my_profile()")
    assert [row["id"] for row in mine] == [user]
    assert mine[0]["email"].startswith("user-")
    public = "SELECT id, username, full_name, avatar_url FROM public.profiles WHERE id = $1"
    assert await db.fetchval(public, other) == other
    for column in ("email", "phone", "affiliate_balance_cents", "banned_until", "preferences"):
        error = await refusal_of(db, f"SELECT {column} FROM public.profiles")
        assert isinstance(error, asyncpg.InsufficientPrivilegeError)
