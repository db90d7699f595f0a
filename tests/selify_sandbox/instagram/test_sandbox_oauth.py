"""Signing in: the consent screen, codes, tokens, and every way it is refused."""

from urllib.parse import parse_qs, urlsplit

import pytest

from selify_sandbox.instagram.driver import SandboxError


async def test_consent_names_the_app_the_accounts_and_the_permissions(sandbox):
    page = await sandbox.http.get(sandbox.authorize_url())
    assert page.status_code == 200
    for words in ("Selify would like to connect", "Atelier Nord", "Read and answer comments"):
        assert words in page.text


async def test_consent_escapes_what_the_address_says(sandbox):
    page = await sandbox.http.get(sandbox.authorize_url(state='"><script>alert(1)</script>'))
    assert "<script>alert(1)" not in page.text


async def test_allowing_sends_code_state_and_the_odd_fragment(sandbox):
    back = await sandbox.driver.authorize(sandbox.authorize_url(), "nord")
    query = parse_qs(urlsplit(back).query)
    assert back.startswith(f"{sandbox.receiver.base}/back?")
    assert query["state"] == ["st4te"]
    assert len(query["code"][0]) > 40
    assert urlsplit(back).fragment == "_"


async def test_denying_says_so(sandbox):
    back = await sandbox.driver.authorize(sandbox.authorize_url(), "nord", deny=True)
    query = {key: values[0] for key, values in parse_qs(urlsplit(back).query).items()}
    assert query == {
        "error": "access_denied",
        "error_reason": "user_denied",
        "error_description": "The user denied your request.",
        "state": "st4te",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "other"},
        {"redirect_uri": "javascript:alert(1)"},
        {"response_type": "token"},
        {"scope": "instagram_business_manage_messages"},
        {"scope": "instagram_business_basic,business_basic"},
    ],
)
async def test_a_bad_authorize_request_never_redirects(sandbox, wrong):
    answer = await sandbox.http.get(sandbox.authorize_url(**wrong))
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "OAuthException"


async def test_choosing_no_account_is_refused(bare):
    form = parse_qs(urlsplit(bare.authorize_url()).query)
    answer = await bare.http.post("/oauth/authorize", data=form | {"decision": ["allow"]})
    assert answer.status_code == 400
    with pytest.raises(SandboxError):
        await bare.driver.authorize(bare.authorize_url(), "nobody")


async def test_code_becomes_a_short_token_once(sandbox):
    code = await sandbox.code()
    first, second = await sandbox.exchange(code), await sandbox.exchange(code)
    data = first.json()["data"][0]
    account = (await sandbox.driver.accounts())[0]
    assert data["user_id"] == account.app_scoped_id
    assert data["access_token"].startswith("IGAA")
    assert "instagram_business_manage_messages" in data["permissions"].split(",")
    assert second.status_code == 400
    assert second.json() == {
        "error_type": "OAuthException",
        "code": 400,
        "error_message": "Matching code was not found or was already used",
    }


async def test_the_flat_answer_shape(sandbox):
    await sandbox.driver.faults(answers="flat")
    assert "access_token" in (await sandbox.exchange(await sandbox.code())).json()
    assert "username" in (await sandbox.get("/me", fields="username")).json()


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "x"},
        {"client_secret": "x"},
        {"grant_type": "x"},
        {"redirect_uri": "http://x"},
        {"code": "x"},
    ],
)
async def test_a_bad_exchange_is_refused(sandbox, wrong):
    answer = await sandbox.exchange(await sandbox.code(), **wrong)
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "OAuthException"


async def test_short_becomes_long_but_long_does_not_become_longer(sandbox):
    query = {
        "grant_type": "ig_exchange_token",
        "client_secret": sandbox.config.app_secret,
        "access_token": (await sandbox.exchange(await sandbox.code())).json()["data"][0][
            "access_token"
        ],
    }
    long = (await sandbox.http.get("/access_token", params=query)).json()
    assert long["token_type"] == "bearer"
    assert long["expires_in"] == 5183944
    again = await sandbox.http.get("/access_token", params=query | long)
    assert again.json()["error"]["code"] == 100
    wrong = await sandbox.http.get("/access_token", params=query | {"client_secret": "x"})
    assert wrong.json()["error"]["code"] == 100


async def test_refresh_needs_a_day_old_living_token(sandbox):
    query = {"grant_type": "ig_refresh_token", "access_token": sandbox.token}
    young = await sandbox.http.get("/refresh_access_token", params=query)
    assert young.json()["error"]["code"] == 100
    await sandbox.driver.trouble("nord", "age_token", hours=25)
    fresh = (await sandbox.http.get("/refresh_access_token", params=query)).json()
    assert fresh["access_token"] != sandbox.token
    await sandbox.driver.trouble("nord", "expire_token")
    dead = await sandbox.http.get("/v26.0/refresh_access_token", params=query)
    assert (dead.status_code, dead.json()["error"]["error_subcode"]) == (401, 463)


async def test_permissions_left_out_are_missing_later(sandbox):
    sandbox.token = await sandbox.sign_in(scopes=("instagram_business_manage_comments",))
    assert (await sandbox.get("/me", fields="username")).status_code == 200
    thread = await sandbox.driver.thread("ana", "nord")
    answer = await sandbox.send({"id": thread.igsid}, message={"text": "hi"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 10)


async def test_without_the_permission_subscribing_succeeds_and_nothing_comes(sandbox):
    sandbox.token = await sandbox.sign_in(scopes=("instagram_business_manage_comments",))
    assert (await sandbox.post("/me/subscribed_apps", subscribed_fields="messages")).is_success
    post = (await sandbox.get("/me/media")).json()["data"][0]["id"]
    await sandbox.driver.write("ana", "nord", "nobody hears this")
    await sandbox.driver.comment("ana", post, "but this")
    await sandbox.receiver.expect("comments")
    assert await sandbox.driver.wait_until_delivered()
    assert sandbox.receiver.of("message") == []


@pytest.mark.parametrize("subcode", [458, 459, 460, 464, 467, 492])
async def test_dead_tokens_say_why(sandbox, subcode):
    await sandbox.driver.trouble("nord", "revoke_token", subcode=subcode)
    answer = await sandbox.get("/me")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (401, 190, subcode)


async def test_an_unknown_token_has_no_subcode(sandbox):
    sandbox.token = "made-up"
    error = (await sandbox.get("/me")).json()["error"]
    assert error["code"] == 190
    assert "error_subcode" not in error
