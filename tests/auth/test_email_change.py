"""Confirming an address, changing it, and taking the change back."""

import asyncio
from datetime import timedelta

import pytest
from tests.auth.conftest import PASSWORD

SIGN_IN = "/api/v1/auth/sign-in"
SIGN_UP = "/api/v1/auth/sign-up"
ME = "/api/v1/auth/me"
ASK = "/api/v1/auth/email"
CONFIRM = "/api/v1/auth/email/confirm"
UNDO = "/api/v1/auth/email/undo"
RESET = "/api/v1/auth/password-reset/confirm"
AGAIN = "/api/v1/auth/email-confirmation"
CONFIRM_FIRST = "/api/v1/auth/email-confirmation/confirm"
OLD, NEW = "lena@shop.example", "lena@new.example"


@pytest.fixture
async def lena(browser, joined):
    await joined(browser, OLD)
    return browser


async def ask(browser, email=NEW, password=PASSWORD):
    return await browser.post(ASK, json={"email": email, "password": password})


async def follow(container, path, token, address="198.51.100.9"):
    async with container.client(address) as visitor:
        return await visitor.post(path, json={"token": token})


# Confirming ---------------------------------------------------------------------------------------


async def test_signing_up_mails_a_link_that_confirms_once(container, lena, mailbox, audited):
    token = await mailbox.newest("/confirm-email", OLD)
    answers = await asyncio.gather(*(follow(container, CONFIRM_FIRST, token) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [204, 410]
    assert (await lena.get(ME)).json()["user"]["email_confirmed"] is True
    [profile] = await container.run("SELECT email_confirmed_at FROM public.profiles")
    assert profile["email_confirmed_at"] == container.clock.now()
    assert (await audited()).count(("email_confirmed", None)) == 1


async def test_confirming_signs_nobody_in(container, lena, mailbox):
    """The account may be somebody else's who typed this address, and knows the password."""
    answer = await follow(container, CONFIRM_FIRST, await mailbox.newest("/confirm-email"))
    assert "set-cookie" not in answer.headers
    assert len(await container.run("SELECT FROM auth.sessions")) == 1


async def test_it_is_sent_again_three_times_an_hour_and_the_newest_is_good(
    container, lena, mailbox
):
    for _ in range(5):
        assert (await lena.post(AGAIN)).status_code == 202
    links = await mailbox.links("/confirm-email")
    assert len(links) == 1 + 3
    assert (await follow(container, CONFIRM_FIRST, links[0])).status_code == 410
    assert (await follow(container, CONFIRM_FIRST, links[-1])).status_code == 204
    container.clock.advance(timedelta(hours=2))
    assert (await lena.post(AGAIN)).status_code == 202
    assert len(await mailbox.links("/confirm-email")) == 4, "there is nothing left to confirm"


@pytest.mark.parametrize(("days", "status"), [(6, 204), (7, 410)])
async def test_it_is_good_for_a_week(container, lena, mailbox, days, status):
    token = await mailbox.newest("/confirm-email")
    container.clock.advance(timedelta(days=days))
    assert (await follow(container, CONFIRM_FIRST, token)).status_code == status


async def test_it_confirms_no_other_address(container, lena, mailbox):
    first = await mailbox.newest("/confirm-email")
    await ask(lena)
    await follow(container, CONFIRM, await mailbox.newest("/change-email"))
    assert (await follow(container, CONFIRM_FIRST, first)).status_code == 410


async def test_a_banned_account_is_not_confirmed(container, lena, mailbox):
    token = await mailbox.newest("/confirm-email")
    await container.run("UPDATE auth.users SET banned_until = 'infinity'")
    assert (await follow(container, CONFIRM_FIRST, token)).status_code == 403
    await container.run("UPDATE auth.users SET banned_until = NULL")
    assert (await follow(container, CONFIRM_FIRST, token)).status_code == 204


async def test_a_link_does_what_it_was_made_for_and_nothing_else(container, lena, mailbox):
    await ask(lena)
    confirmation = await mailbox.newest("/confirm-email")
    change = await mailbox.newest("/change-email")
    for path, token in ((CONFIRM, confirmation), (UNDO, confirmation), (CONFIRM_FIRST, change)):
        assert (await follow(container, path, token)).status_code == 410
    async with container.client() as visitor:
        body = {"token": confirmation, "password": "quite another password"}
        assert (await visitor.post(RESET, json=body)).status_code == 410
    assert (await follow(container, CONFIRM, change)).status_code == 204


# Signing up with an address that is taken ---------------------------------------------------------


async def test_a_taken_address_looks_like_a_free_one_and_its_owner_is_told(
    container, lena, mailbox, audited
):
    await mailbox.deliver()
    async with container.client("198.51.100.20") as stranger:
        body = {"password": "a stranger's password", "full_name": "Stranger"}
        taken = await stranger.post(SIGN_UP, json={**body, "email": OLD})
        free = await stranger.post(SIGN_UP, json={**body, "email": "free@shop.example"})
    for answer in (taken, free):
        assert answer.status_code == 202
        assert "set-cookie" not in answer.headers
    assert taken.json() == free.json()
    assert taken.headers.keys() == free.headers.keys()
    told = (await mailbox.to(OLD))[-1]
    assert told.subject == "You have an account already"
    assert "token" not in told.link
    assert ("sign_up", "email_taken") in await audited()
    assert (await lena.post(SIGN_IN, json={"email": OLD, "password": PASSWORD})).is_success
    [user] = await container.run("SELECT raw_user_meta_data FROM auth.users WHERE email = $1", OLD)
    assert user["raw_user_meta_data"] == {"full_name": "Mira Holm"}


async def test_nobody_orders_mails_for_an_owner(container, lena, mailbox):
    for number in range(6):
        async with container.client(f"198.51.100.{number}") as stranger:
            body = {"email": OLD, "password": "a stranger's password"}
            assert (await stranger.post(SIGN_UP, json=body)).status_code == 202
    told = [one.subject for one in await mailbox.to(OLD)]
    assert told.count("You have an account already") == 3


async def test_who_did_not_confirm_works_and_is_known_as_unconfirmed(browser, joined):
    made = await joined(browser)
    assert made["user"]["email_confirmed"] is False
    assert (await browser.post("/api/v1/workspaces", json={"name": "Sand"})).status_code == 201


# Changing -----------------------------------------------------------------------------------------


async def test_nothing_changes_before_the_new_mailbox_confirms(container, lena, mailbox, audited):
    assert (await ask(lena)).status_code == 202
    assert (await lena.get(ME)).json()["user"]["email"] == OLD
    token = await mailbox.newest("/change-email", NEW)
    answers = await asyncio.gather(*(follow(container, CONFIRM, token) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [204, 410]
    me = (await lena.get(ME)).json()["user"]
    assert (me["email"], me["email_confirmed"]) == (NEW, True)
    [profile] = await container.run("SELECT email FROM public.profiles")
    assert profile["email"] == NEW
    assert [one.subject for one in await mailbox.to(NEW)] == [
        "Please confirm your new e-mail address",
        "This is your new e-mail address",
    ]
    last = (await mailbox.to(OLD))[-1]
    assert last.subject == "The e-mail address of your account was changed"
    assert "/undo-email?token=" in last.link
    assert ("email_changed", None) in await audited()
    for email, status in ((OLD, 401), (NEW, 200)):
        answer = await lena.post(SIGN_IN, json={"email": email, "password": PASSWORD})
        assert answer.status_code == status


async def test_it_asks_the_password(container, lena, mailbox, audited):
    before = len(await mailbox.deliver())
    answer = await ask(lena, password="not the password")
    assert (answer.status_code, answer.json()["code"]) == (403, "password_wrong")
    assert len(await mailbox.deliver()) == before
    assert ("sign_in_failed", "wrong_credentials") in await audited()
    assert (await lena.get(ME)).status_code == 200
    for _ in range(9):
        assert (await ask(lena, password="not the password")).status_code == 403
    assert (await ask(lena)).status_code == 429


async def test_a_taken_address_is_not_told_and_not_given(container, lena, joined, mailbox):
    async with container.client() as other:
        await joined(other, NEW)
        taken = await ask(lena)
        free = await ask(lena, "free@shop.example")
        assert (
            (taken.status_code, taken.json())
            == (free.status_code, free.json())
            == (
                202,
                {"next": "look_into_your_mailbox"},
            )
        )
        assert not await mailbox.links("/change-email", NEW)
        assert (await mailbox.to(NEW))[-1].subject == "You have an account already"


async def test_an_address_that_was_taken_meanwhile_is_not_given(container, lena, joined, mailbox):
    await ask(lena)
    token = await mailbox.newest("/change-email")
    async with container.client() as other:
        await joined(other, NEW)
    answer = await follow(container, CONFIRM, token)
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert (await lena.get(ME)).json()["user"]["email"] == OLD


async def test_only_the_newest_change_is_made(container, lena, mailbox):
    await ask(lena)
    await ask(lena, "other@new.example")
    assert (await follow(container, CONFIRM, await mailbox.newest("/change-email", NEW))).is_error
    last = await mailbox.newest("/change-email", "other@new.example")
    assert (await follow(container, CONFIRM, last)).status_code == 204


async def test_one_s_own_address_is_no_change(lena):
    assert (await ask(lena, "LENA@shop.example")).status_code == 422


async def test_visitors_change_nothing(container):
    async with container.client() as visitor:
        assert (await ask(visitor)).status_code == 401
        assert (await visitor.post(AGAIN)).status_code == 401


# Taking it back -----------------------------------------------------------------------------------


@pytest.fixture
async def changed(container, lena, mailbox):
    """Somebody who knows the password has taken the account away."""
    await ask(lena)
    await follow(container, CONFIRM, await mailbox.newest("/change-email"))
    return lena


async def test_the_old_mailbox_takes_it_back_and_everybody_else_is_out(
    container, changed, mailbox, audited
):
    undo = await mailbox.newest("/undo-email", OLD)
    answers = await asyncio.gather(*(follow(container, UNDO, undo) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 410]
    [done] = [answer for answer in answers if answer.is_success]
    assert (await changed.get(ME)).status_code == 401
    for email in (OLD, NEW):
        answer = await changed.post(SIGN_IN, json={"email": email, "password": PASSWORD})
        assert answer.status_code == 401
    assert ("email_change_undone", None) in await audited()
    async with container.client("198.51.100.9") as owner:
        body = {"token": done.json()["password_reset_token"], "password": "mine alone again"}
        back = await owner.post(RESET, json=body)
        assert back.json()["user"]["email"] == OLD


async def test_changing_it_twice_takes_no_way_back_away(container, changed, mailbox):
    undo = await mailbox.newest("/undo-email", OLD)
    await ask(changed, "third@new.example")
    third = await mailbox.newest("/change-email", "third@new.example")
    assert (await follow(container, CONFIRM, third)).status_code == 204
    second_undo = await mailbox.newest("/undo-email", NEW)
    assert (await follow(container, UNDO, undo)).status_code == 200
    assert (await follow(container, UNDO, second_undo)).status_code == 410
    [user] = await container.run("SELECT email FROM auth.users")
    assert user["email"] == OLD


async def test_nobody_squats_on_an_address_that_may_be_taken_back(
    container, changed, joined, mailbox
):
    async with container.client() as squatter:
        body = {"email": OLD, "password": "a squatter's password"}
        assert (await squatter.post(SIGN_UP, json=body)).status_code == 202
        assert (await squatter.post(SIGN_IN, json=body)).status_code == 401
        await joined(squatter, "squatter@shop.example")
        await ask(squatter, OLD)
        assert not await mailbox.links("/change-email", OLD)
    undo = await mailbox.newest("/undo-email", OLD)
    assert (await follow(container, UNDO, undo)).status_code == 200


async def test_one_may_go_back_oneself(container, changed, mailbox):
    """One's own address of before is only held for oneself."""
    assert (await ask(changed, OLD)).status_code == 202
    back = await mailbox.newest("/change-email", OLD)
    assert (await follow(container, CONFIRM, back)).status_code == 204
    assert (await changed.get(ME)).json()["user"]["email"] == OLD


async def test_after_a_week_it_stays(container, changed, mailbox):
    undo = await mailbox.newest("/undo-email", OLD)
    container.clock.advance(timedelta(days=7))
    assert (await follow(container, UNDO, undo)).status_code == 410
