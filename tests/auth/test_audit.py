import json

import pytest

from selify.auth import ClientInfo, OAuthEvent, audit
from selify.core.database import Actor

SECRETS = ["IGQWRsecret", "s3cr3t-value", "AQBcode99", "eyJhbGciOi.J9.sig", "st4te-value"]


@pytest.fixture
def write(container):
    async def write(event=OAuthEvent.ACCOUNT_CONNECTED, **more):
        """One line, read back, and taken away again with its transaction."""

        class Undo(Exception):
            pass

        found = None
        try:
            async with container.database.tx(Actor.system("test")) as tx:
                await audit.record(tx, event, platform="instagram", **more)
                found = await tx.fetch_one("SELECT * FROM public.oauth_audit_logs")
                raise Undo
        except Undo:
            return found

    return write


async def test_the_nine_events_of_the_reference_are_stored(write):
    rows = [await write(event) for event in OAuthEvent]
    assert len(rows) == 9
    assert [row["event_type"] for row in rows if not row["success"]] == [
        "oauth_callback_failed",
        "token_refresh_failed",
        "invalid_state",
        "rate_limit_exceeded",
    ]


async def test_a_line_says_who_from_where_and_what(write):
    row = await write(
        platform_account_id="17841400000000001",
        metadata={"username": "nordlicht", "scopes": ["basic"], "attempt": 2},
        client=ClientInfo(address="2001:db8::7", user_agent="Firefox"),
    )
    assert str(row["ip_address"]) == "2001:db8::7"
    assert (row["user_agent"], row["platform_account_id"]) == ("Firefox", "17841400000000001")
    assert row["metadata"] == {"username": "nordlicht", "scopes": ["basic"], "attempt": 2}


async def test_no_credential_is_written_down_wherever_it_hides(write):
    token, secret, code, signed, state = SECRETS
    row = await write(
        OAuthEvent.CALLBACK_FAILED,
        error_message=f"GET /me?access_token={token}&fields=id failed; client_secret: '{secret}'; "
        f"Authorization: Bearer {signed}; /callback?code={code}&state={state}",
        metadata={
            "access_token": token,
            "nested": [{"clientSecret": secret, "code": code, "kept": "yes"}],
            "url": f"https://a.example/cb?code={code}&state={state}",
            "headers": {"Authorization": signed},
            "raw": json.dumps({"refresh_token": token}),
            "state": state,
        },
    )
    written = json.dumps([row["error_message"], row["metadata"]])
    assert [found for found in SECRETS if found in written] == []
    assert "fields=id failed" in row["error_message"]
    assert row["metadata"]["nested"][0]["kept"] == "yes"


async def test_an_audit_line_is_never_changed_by_a_user(container, browser, joined):
    from uuid import UUID

    import asyncpg

    user = Actor.user(UUID((await joined(browser))["user"]["id"]))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with container.database.tx(user) as tx:
            await audit.record(tx, OAuthEvent.ACCOUNT_CONNECTED, platform="instagram")
