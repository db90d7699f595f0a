import asyncio
from datetime import timedelta

import httpx
import pytest
from argon2 import PasswordHasher

from selify.auth import passwords, tidy
from selify.core.database import Actor

SYSTEM = Actor.system("test")
SIGN_IN = "/api/v1/auth/sign-in"
SIGN_UP = "/api/v1/auth/sign-up"
ME = "/api/v1/auth/me"


def credentials(password, email="mira@example.com"):
    return {"email": email, "password": password}


async def test_sign_up_signs_in_and_the_profile_is_there(container, browser, joined):
    made = await joined(browser)
    cookie = browser.cookies["selify_session"]
    response = await browser.get(ME)
    assert response.json() == made
    assert response.headers["cache-control"] == "no-store"
    [profile] = await container.run("SELECT email, full_name, status FROM public.profiles")
    assert tuple(profile) == ("mira@example.com", "Mira Holm", "active")
    [stored] = await container.run(
        "SELECT u.encrypted_password, k.current_hash, s.ip::text FROM auth.users u, internal.session_secrets k"
        " JOIN auth.sessions s ON s.id = k.session_id"
    )
    assert stored["encrypted_password"].startswith("$argon2id$")
    assert cookie.encode() not in bytes(stored["current_hash"])
    assert stored["ip"] == "203.0.113.7/32"


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    container, new_house, password
):
    async with (
        container.client() as plain,
        new_house(public_url="https://shop.test").client() as secure,
    ):
        await plain.post(SIGN_UP, json=credentials(password))
        cookie = (await plain.post(SIGN_IN, json=credentials(password))).headers["set-cookie"]
        assert cookie.startswith("selify_session=")
        assert cookie.endswith("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax")
        answer = await secure.post(SIGN_IN, json=credentials(password))
        assert answer.headers["set-cookie"].startswith("__Host-selify_session=")
        assert answer.headers["set-cookie"].endswith("; HttpOnly; SameSite=Lax; Secure")
        assert "max-age" in answer.headers["strict-transport-security"]


async def test_every_sign_in_is_a_new_session(browser, joined, password):
    first = await joined(browser)
    before = browser.cookies["selify_session"]
    again = (await browser.post(SIGN_IN, json=credentials(password))).json()
    assert browser.cookies["selify_session"] != before
    assert again["session_id"] != first["session_id"]


async def test_an_address_is_one_account_however_it_is_written(
    container, browser, joined, password
):
    await joined(browser)
    await browser.post(SIGN_UP, json=credentials("quite another one", "Mira@Example.COM"))
    assert len(await container.run("SELECT FROM auth.users")) == 1
    assert (
        await browser.post(SIGN_IN, json=credentials(password, " MIRA@example.com "))
    ).is_success


async def test_two_sign_ups_at_once_make_one_account(container, password):
    async with container.client() as one, container.client() as other:
        answers = await asyncio.gather(
            *(client.post(SIGN_UP, json=credentials(password)) for client in (one, other))
        )
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len(await container.run("SELECT FROM auth.users")) == 1


class CountingHasher(PasswordHasher):
    def __init__(self):
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.verified = 0

    def verify(self, hash, password):  # noqa: A002 - the library's name
        self.verified += 1
        return super().verify(hash, password)


async def test_a_wrong_password_and_an_unknown_address_look_and_cost_the_same(
    new_house, joined, password
):
    hasher = CountingHasher()
    async with new_house(hasher=hasher).client() as client:
        await joined(client)
        assert hasher.verified == 1
        wrong = await client.post(SIGN_IN, json=credentials("not the password"))
        assert hasher.verified == 2
        unknown = await client.post(SIGN_IN, json=credentials(password, "nobody@example.com"))
        assert hasher.verified == 3
    assert wrong.status_code == unknown.status_code == 401
    bodies = [answer.json() for answer in (wrong, unknown)]
    assert [body.pop("trace") for body in bodies]
    assert bodies[0] == bodies[1]
    assert bodies[0]["code"] == "wrong_credentials"
    assert wrong.headers["content-type"] == "application/problem+json"


async def test_the_password_of_nobody_lets_nobody_in(container, browser):
    for guess in ("the password of nobody", ""):
        verdict = await container.authenticator.passwords.check(None, guess)
        assert not verdict.right


async def test_guessing_is_stopped_in_all_processes_even_for_the_right_guess(
    container, new_house, browser, joined, password
):
    await joined(browser)
    other_process = new_house()
    other_process.clock.advance(container.clock.now() - other_process.clock.now())
    async with other_process.client() as second:
        for turn in range(10):
            client = (browser, second)[turn % 2]
            answer = await client.post(SIGN_IN, json=credentials(f"guess number {turn}"))
            assert answer.status_code == 401
        refused = await second.post(SIGN_IN, json=credentials(password))
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["retry-after"]) <= 900
    async with container.client("198.51.100.9") as elsewhere:  # the owner, at home
        assert (await elsewhere.post(SIGN_IN, json=credentials(password))).is_success
    container.clock.advance(timedelta(minutes=15))
    assert (await browser.post(SIGN_IN, json=credentials(password))).is_success


async def test_guessing_one_address_from_many_places_is_stopped(container, joined, password):
    async with container.client() as home:
        await joined(home)
    answers = []
    for place in range(61):
        async with container.client(f"198.51.100.{place}") as client:
            answers.append(await client.post(SIGN_IN, json=credentials("guess")))
    assert [answer.status_code for answer in answers] == [401] * 60 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    container.clock.advance(timedelta(minutes=15))
    async with container.client() as home:
        assert (await home.post(SIGN_IN, json=credentials(password))).status_code == 200


async def test_guesses_sent_all_at_once_are_counted_all(container, joined, password):
    async with container.client() as client:
        await joined(client)
        answers = await asyncio.gather(
            *(client.post(SIGN_IN, json=credentials(f"guess {n}")) for n in range(25))
        )
    assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 15


async def test_signing_in_often_is_not_guessing(browser, joined, password):
    await joined(browser)
    for _ in range(15):
        assert (await browser.post(SIGN_IN, json=credentials(password))).is_success


async def test_one_address_trying_many_accounts_is_stopped(container, browser):
    answers = [
        (await browser.post(SIGN_IN, json=credentials("guess", f"user{n}@example.com"))).status_code
        for n in range(101)
    ]
    assert answers == [401] * 100 + [429]


async def test_signing_up_is_throttled_by_address(container, browser, password):
    answers = [
        await browser.post(SIGN_UP, json=credentials(password, f"user{n}@example.com"))
        for n in range(21)
    ]
    assert [answer.status_code for answer in answers] == [202] * 20 + [429]


@pytest.mark.parametrize(
    "closed", ["banned_until = now() + interval '1 day'", "deleted_at = now()"]
)
async def test_a_closed_account_cannot_sign_in_nor_go_on(
    container, browser, joined, password, closed
):
    await joined(browser)
    await container.run(f"UPDATE auth.users SET {closed}")
    assert (await browser.get(ME)).status_code == 401
    answer = await browser.post(SIGN_IN, json=credentials(password))
    assert (answer.status_code, answer.json()["code"]) == (403, "account_closed")
    wrong = await browser.post(SIGN_IN, json=credentials("not the password"))
    assert wrong.json()["code"] == "wrong_credentials"  # only who knows the password is told


async def test_a_ban_ends(container, browser, joined, password):
    await joined(browser)
    await container.run(
        "UPDATE auth.users SET banned_until = $1", container.clock.now() + timedelta(days=1)
    )
    container.clock.advance(timedelta(days=1))
    assert (await browser.post(SIGN_IN, json=credentials(password))).is_success


async def test_old_hashes_are_renewed_at_sign_in(container, new_house, browser, joined, password):
    await joined(browser)
    [old] = await container.run("SELECT encrypted_password AS hash FROM auth.users")
    stronger = PasswordHasher(time_cost=2, memory_cost=128, parallelism=1)
    async with new_house(hasher=stronger).client() as client:
        assert (await client.post(SIGN_IN, json=credentials(password))).is_success
        [new] = await container.run("SELECT encrypted_password AS hash FROM auth.users")
        assert new["hash"] != old["hash"]
        assert "m=128,t=2,p=1" in new["hash"]
        assert (await client.post(SIGN_IN, json=credentials(password))).is_success
        assert [new] == await container.run("SELECT encrypted_password AS hash FROM auth.users")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ("encrypted_password = (SELECT h FROM other)", 401, "wrong_credentials"),
        ("banned_until = 'infinity'", 403, "account_closed"),
        ("deleted_at = now()", 403, "account_closed"),
    ],
)
async def test_what_changes_while_a_password_is_checked_is_checked_anew(
    container, browser, joined, password, monkeypatch, change, status, code
):
    await joined(browser)
    other = await container.authenticator.passwords.hash("quite another one")
    check = container.authenticator.passwords.check
    changes = [f"WITH other AS (SELECT $1::text AS h) UPDATE auth.users SET {change}"]

    async def meanwhile(stored, guess):
        verdict = await check(stored, guess)
        while changes:
            await container.run(changes.pop(), other)
        return verdict

    monkeypatch.setattr(container.authenticator.passwords, "check", meanwhile)
    answer = await browser.post(SIGN_IN, json=credentials(password))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    [sessions] = await container.run("SELECT count(*) AS n FROM auth.sessions")
    assert sessions["n"] == 1, "only that of joining"
    [user] = await container.run("SELECT encrypted_password AS hash FROM auth.users")
    assert (user["hash"] == other) == ("password" in change), "and no renewal undoes the change"


def test_the_cost_of_a_password_is_as_decided():
    assert passwords.COST.hash("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_the_same_password_however_it_is_typed(browser, password):
    composed, decomposed = "caf\u00e9 au lait svp", "cafe\u0301 au lait svp"
    assert (await browser.post(SIGN_UP, json=credentials(composed))).is_success
    assert (await browser.post(SIGN_IN, json=credentials(decomposed))).is_success


@pytest.mark.parametrize("bad", ["short", "aaaaaaaaaaaa", "mira@example.com", "x" * 257])
async def test_passwords_that_would_be_guessed_are_refused(browser, bad):
    answer = await browser.post(SIGN_UP, json=credentials(bad))
    assert answer.status_code == 422


async def test_a_crowd_signing_in_waits_in_a_short_line_only(container):
    authenticator = container.authenticator
    answers = await asyncio.gather(
        *(authenticator.passwords.check(None, "x") for _ in range(60)), return_exceptions=True
    )
    busy = [answer for answer in answers if isinstance(answer, passwords.SignInBusy)]
    assert len(busy) == 60 - passwords.PARALLEL - passwords.WAITING
    assert not (await authenticator.passwords.check(None, "x")).right


HOSTILE_EMAILS = [
    "a" * 1_000_000 + "@example.com",
    "a" * 250 + "@example.com",
    "mira\x00@example.com",
    "mira@example.com\n",
    "mira@exam\rple.com",
    "\u043cira@example.com",  # Cyrillic м
    "mira@ex\u0430mple.com",  # Cyrillic а
    "ｍira@example.com",  # full-width m, which NFKC folds to a plain one
    "mira@example.com\u200b",
    "mi ra@example.com",
    "mira@localhost",
    "mira@@example.com",
    "mira@-example.com",
    "'; DROP TABLE auth.users; --@example.com",
    "",
]


@pytest.mark.parametrize("email", HOSTILE_EMAILS, ids=lambda email: ascii(email[:24]))
async def test_hostile_addresses_are_refused_in_words(container, browser, joined, password, email):
    await joined(browser)
    for path in (SIGN_UP, SIGN_IN):
        answer = await browser.post(path, json=credentials(password, email))
        assert answer.status_code in (413, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert len(await container.run("SELECT 1 FROM auth.users")) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"email": "a@example.com", "password": "with \\u0000 nul inside"}',
        b'{"email": "a@example.com", "password": "lone \\ud800 surrogate"}',
        b'{"email": "a@example.com", "password": "long enough 1", "full_name": "nul \\u0000"}',
        b'{"email": "a@example.com", "password": "long enough 1", "full_name": "line\\nbreak"}',
        b'{"email": "a@example.com", "password": "long enough 1", "role": "service_role"}',
        b'{"email": "a@example.com", "password": "long enough 1", "\\ud800": 1}',
        b'{"email": ["a@example.com"], "password": {"$ne": ""}}',
        b'{"email": "a@example.com", "email": "b@example.com"}',
        b"[" * 100_000,
        b"\xff\xfe",
        b"null",
        b"",
    ],
    ids=range(12),
)
async def test_hostile_bodies_are_refused_in_words(container, browser, body):
    answer = await browser.post(SIGN_UP, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert not await container.run("SELECT 1 FROM auth.users")


async def test_no_answer_repeats_a_password(browser):
    answer = await browser.post(SIGN_UP, json=credentials("sesame"))
    assert answer.status_code == 422
    assert "sesame" not in answer.text


async def test_odd_browsers_and_places_are_no_obstacle(container, password):
    agents = ["x" * 100_000, "nul \x01 inside", "grüße".encode("latin-1"), ""]
    async with container.client(address="not an address") as client:
        for number, agent in enumerate(agents):
            answer = await client.post(
                SIGN_UP,
                json=credentials(password, f"user{number}@example.com"),
                headers={"User-Agent": agent},
            )
            assert answer.status_code == 202, answer.text
            answer = await client.post(
                SIGN_IN,
                json=credentials(password, f"user{number}@example.com"),
                headers={"User-Agent": agent},
            )
            assert answer.status_code == 200, answer.text
            client.cookies.clear()
    rows = await container.run("SELECT ip, user_agent FROM auth.sessions ORDER BY created_at, id")
    assert {row["ip"] for row in rows} == {None}
    assert [len(row["user_agent"] or "") for row in rows] == [300, 11, 5, 0]


async def test_what_has_ended_is_forgotten(container, browser, joined, password):
    await joined(browser)
    await browser.post(SIGN_IN, json=credentials("not the password"))
    async with container.database.tx(SYSTEM) as tx:
        assert await tidy(tx, now=container.clock.now()) == 0
    async with container.database.tx(SYSTEM) as tx:
        assert await tidy(tx, now=container.clock.now() + timedelta(days=15)) == 5
    for table in ("auth.sessions", "internal.session_secrets", "internal.sign_in_attempts"):
        assert not await container.run(f"SELECT 1 FROM {table}")


async def test_no_user_can_read_accounts_or_secrets(container, browser, joined):
    import asyncpg

    made = await joined(browser)
    from uuid import UUID

    user = Actor.user(UUID(made["user"]["id"]))
    for actor in (user, Actor.visitor()):
        for table in (
            "auth.users",
            "auth.sessions",
            "internal.session_secrets",
            "internal.sign_in_attempts",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with container.database.tx(actor) as tx:
                    await tx.fetch(f"SELECT * FROM {table}")


async def test_visitors_are_told_to_sign_in(browser):
    answer = await browser.get(ME)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert isinstance(answer, httpx.Response)
