import base64
import hmac
import json
from datetime import timedelta
from uuid import uuid4

import jwt
import pytest

from selify.auth.tokens import Tokens
from selify.core.secrets import SecretBox

ME = "/api/v1/auth/me"
TOKEN = "/api/v1/auth/token"
PURPOSE = "selify access tokens v1"


@pytest.fixture
def grant(password):
    return {"grant_type": "password", "email": "mira@example.com", "password": password}


async def me_with(container, token, **headers):
    async with container.client(headers={"Authorization": f"Bearer {token}", **headers}) as client:
        return await client.get(ME)


async def token_of(container, browser, joined, grant):
    await joined(browser)
    async with container.client(headers={}) as program:
        answer = await program.post(TOKEN, json=grant)
        assert "set-cookie" not in answer.headers
    return answer.json()


async def test_a_token_has_the_claims_supabase_uses(container, browser, joined, grant):
    issued = await token_of(container, browser, joined, grant)
    assert issued["token_type"] == "bearer"
    assert issued["expires_in"] in (3599, 3600)
    claims = jwt.decode(issued["access_token"], options={"verify_signature": False})
    assert claims | {"exp": 0, "iat": 0, "session_id": ""} == {
        "sub": issued["user"]["id"],
        "aud": "authenticated",
        "role": "authenticated",
        "email": "mira@example.com",
        "phone": "",
        "aal": "aal1",
        "is_anonymous": False,
        "app_metadata": {"provider": "email", "providers": ["email"], "team": False},
        "user_metadata": {"full_name": "Mira Holm"},
        "iss": "http://shop.test",
        "exp": 0,
        "iat": 0,
        "session_id": "",
    }
    assert claims["exp"] - claims["iat"] == 3600
    assert jwt.get_unverified_header(issued["access_token"])["alg"] == "HS256"
    assert (await me_with(container, issued["access_token"])).json()["user"] == issued["user"]


async def test_tokens_need_no_origin_because_no_browser_sends_them_unasked(
    container, browser, joined, grant
):
    issued = await token_of(container, browser, joined, grant)
    headers = {
        "Authorization": f"Bearer {issued['access_token']}",
        "Origin": "https://another.example",
    }
    async with container.client(headers=headers) as client:
        made = await client.post("/api/v1/workspaces", json={"name": "Nordlicht"})
    assert made.status_code == 201


async def test_a_bearer_token_wins_over_the_cookie(container, browser, joined):
    await joined(browser)
    answer = await browser.get(ME, headers={"Authorization": "Bearer nonsense"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert (await browser.get(ME, headers={"Authorization": "Basic bm8="})).is_success


def b64(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed_with_sha512(body, key):
    text = f"{b64({'alg': 'HS512', 'kid': 'k1', 'typ': 'JWT'})}.{body}"
    signature = hmac.digest(key, text.encode(), "sha512")
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def forged(claims, box, **changes):
    """Tokens that must not be accepted, by what is wrong with them."""
    key = box.derive(PURPOSE)["k1"]
    sign = {"algorithm": "HS256", "headers": {"kid": "k1"}}
    ours = jwt.encode(claims, key, **sign)
    head, body, signature = ours.split(".")
    unsigned = {"alg": "none", "kid": "k1", "typ": "JWT"}
    return {
        "alg none": f"{b64(unsigned)}.{body}.",
        "alg None": f"{b64({**unsigned, 'alg': 'None'})}.{body}.",
        "alg none, signed": f"{b64(unsigned)}.{body}.{signature}",
        "other key": jwt.encode(claims, b"x" * 32, **sign),
        "empty key": f"{head}.{body}.{b64('')}",
        "right key, wrong alg": signed_with_sha512(body, key),
        "another purpose's key": jwt.encode(claims, box.derive("something else")["k1"], **sign),
        "unknown kid": jwt.encode(claims, key, algorithm="HS256", headers={"kid": "k9"}),
        "no kid": jwt.encode(claims, key, algorithm="HS256"),
        "kid is a path": jwt.encode(
            claims, b"y" * 32, algorithm="HS256", headers={"kid": "/dev/null"}
        ),
        "other claims": f"{head}.{b64({**claims, 'sub': str(uuid4())})}.{signature}",
        "other audience": jwt.encode({**claims, "aud": "anon"}, key, **sign),
        "other issuer": jwt.encode({**claims, "iss": "https://evil.example"}, key, **sign),
        "no expiry": jwt.encode({k: v for k, v in claims.items() if k != "exp"}, key, **sign),
        "expiry is text": jwt.encode({**claims, "exp": "never"}, key, **sign),
        "expiry is infinite": jwt.encode({**claims, "exp": 1e400}, key, **sign),
        "expired": jwt.encode({**claims, "exp": claims["iat"] - 1}, key, **sign),
        "no session": jwt.encode({**claims, "session_id": None}, key, **sign),
        "session is no id": jwt.encode({**claims, "session_id": "'; --"}, key, **sign),
        "session is a number": jwt.encode({**claims, "session_id": 7}, key, **sign),
        "unknown session": jwt.encode({**claims, "session_id": str(uuid4())}, key, **sign),
        "too long": jwt.encode({**claims, "x": "x" * 5000}, key, **sign),
        "cut short": ours[:-1],
        "two parts": f"{head}.{body}",
        "nonsense": "a.b.c",
        "empty": "",
        "not ascii": "\xfc.\xfc.\xfc",
    }


async def test_forged_tokens_are_refused(container, browser, joined, grant):
    issued = await token_of(container, browser, joined, grant)
    claims = jwt.decode(issued["access_token"], options={"verify_signature": False})
    accepted = {}
    for name, token in forged(claims, container.box).items():
        header = f"Bearer {token}".encode("latin-1")
        async with container.client() as client:
            answer = await client.get(ME, headers={b"Authorization": header})
        if (answer.status_code, answer.json()["code"]) != (401, "token_invalid"):
            accepted[name] = answer.text
    assert accepted == {}
    right = jwt.encode(
        claims, container.box.derive(PURPOSE)["k1"], algorithm="HS256", headers={"kid": "k1"}
    )
    assert (
        await me_with(container, right)
    ).status_code == 200  # so the forgeries failed for a reason


async def test_claims_cannot_be_smuggled_past_the_signature(container, browser, joined, grant):
    """What the database sees as claims comes from the account, never from the token."""
    issued = await token_of(container, browser, joined, grant)
    claims = jwt.decode(issued["access_token"], options={"verify_signature": False})
    own = jwt.encode(
        {**claims, "role": "service_role", "app_metadata": {"team": True}},
        container.box.derive(PURPOSE)["k1"],
        algorithm="HS256",
        headers={"kid": "k1"},
    )
    session = container.authenticator.tokens.session_of(own, now=container.clock.now())
    from selify.auth import repository
    from selify.auth.authenticator import ACTOR, actor_of

    async with container.database.tx(ACTOR) as tx:
        actor = actor_of(await repository.find_session(tx, session, now=container.clock.now()))
    async with container.database.tx(actor) as tx:
        row = await tx.fetch_one(
            "SELECT current_user::text AS role, auth.jwt() AS claims, auth.uid() AS uid"
        )
    assert row["role"] == "authenticated"
    assert row["claims"]["role"] == "authenticated"
    assert row["claims"]["app_metadata"]["team"] is False
    assert str(row["uid"]) == issued["user"]["id"]


async def test_a_token_expires(container, browser, joined, grant):
    issued = await token_of(container, browser, joined, grant)
    container.clock.advance(timedelta(minutes=59))
    assert (await me_with(container, issued["access_token"])).status_code == 200
    container.clock.advance(timedelta(minutes=1))
    answer = await me_with(container, issued["access_token"])
    assert answer.status_code == 401
    assert "expired" in answer.json()["detail"]


async def test_signing_out_ends_tokens_at_once(container, browser, joined, grant):
    issued = await token_of(container, browser, joined, grant)
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    async with container.client(headers=headers) as client:
        assert (await client.post("/api/v1/auth/sign-out")).status_code == 204
    assert (await me_with(container, issued["access_token"])).status_code == 401
    assert (await browser.get(ME)).status_code == 200  # the browser has its own session


async def test_a_browsers_session_can_give_a_token_but_not_its_secret(container, browser, joined):
    await joined(browser)
    issued = (await browser.post(TOKEN, json={"grant_type": "session"})).json()
    assert issued["refresh_token"] is None
    assert (await me_with(container, issued["access_token"])).status_code == 200
    async with container.client() as stranger:
        assert (await stranger.post(TOKEN, json={"grant_type": "session"})).status_code == 401


async def test_a_token_cannot_get_itself_another(container, browser, joined, grant):
    """Whoever copied it has it for an hour, and not for as long as the session lasts."""
    issued = await token_of(container, browser, joined, grant)
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    async with container.client(headers=headers) as thief:
        answer = await thief.post(TOKEN, json={"grant_type": "session"})
    assert answer.status_code == 401
    assert "access_token" not in answer.json()


async def test_a_program_goes_on_with_its_refresh_token(container, browser, joined, grant):
    issued = await token_of(container, browser, joined, grant)
    container.clock.advance(timedelta(hours=2))
    refresh = {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]}
    async with container.client(headers={}) as program:
        next_one = (await program.post(TOKEN, json=refresh)).json()
        assert next_one["refresh_token"] != issued["refresh_token"]
        assert (await me_with(container, next_one["access_token"])).status_code == 200
        await program.post(
            TOKEN, json={"grant_type": "refresh_token", "refresh_token": next_one["refresh_token"]}
        )
        container.clock.advance(timedelta(minutes=2))
        stolen = await program.post(TOKEN, json=refresh)
    assert (stolen.status_code, stolen.json()["code"]) == (401, "token_invalid")
    assert (await me_with(container, next_one["access_token"])).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"grant_type": "implicit"},
        {"grant_type": "refresh_token"},
        {"grant_type": "refresh_token", "refresh_token": "nul \x00 in a refresh token"},
        {"grant_type": "session", "sub": "someone else"},
    ],
)
async def test_malformed_grants_are_refused(browser, body):
    assert (await browser.post(TOKEN, json=body)).status_code == 422


async def test_an_invented_refresh_token_is_refused(browser):
    body = {"grant_type": "refresh_token", "refresh_token": "x" * 43}
    assert (await browser.post(TOKEN, json=body)).status_code == 401


async def test_tokens_survive_a_change_of_keys(container, browser, joined, grant):
    issued = await token_of(container, browser, joined, grant)
    old = container.box._keys["k1"]
    rotated = Tokens(SecretBox({"k2": b"n" * 32, "k1": old}), issuer="http://shop.test")
    now = container.clock.now()
    assert rotated.session_of(issued["access_token"], now=now)
    session = await _session(container, rotated, issued)
    assert jwt.get_unverified_header(rotated.issue(session, now=now).text)["kid"] == "k2"


async def _session(container, tokens, issued):
    from selify.auth import repository
    from selify.auth.authenticator import ACTOR

    now = container.clock.now()
    async with container.database.tx(ACTOR) as tx:
        return await repository.find_session(
            tx, tokens.session_of(issued["access_token"], now=now), now=now
        )
