"""Every row of the protocol sheet's error table, and what has no row."""

from datetime import timedelta

import httpx
import pytest

from selify.messaging.ports import Action
from selify.vendors.instagram.errors import (
    RULES,
    Fault,
    judge_fault,
    judge_network,
    judge_status,
    read_fault,
)
from selify.vendors.instagram.types import Usage

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

SHEET = [
    (1, 0, Action.UNKNOWN, "maybe_sent"),
    (2, 0, Action.UNKNOWN, "maybe_sent"),
    (1, 1357046, Action.UNKNOWN, "invalid_reply_though_sent"),
    (3, 0, Action.STOP, "no_capability"),
    (4, 0, Action.PAUSE_PLATFORM, "app_throttled"),
    (17, 0, Action.PAUSE_ACCOUNT, "throttled"),
    (32, 0, Action.PAUSE_ACCOUNT, "throttled"),
    (80001, 0, Action.PAUSE_ACCOUNT, "throttled"),
    (80002, 0, Action.PAUSE_ACCOUNT, "throttled"),
    (80006, 0, Action.PAUSE_ACCOUNT, "throttled"),
    (613, 0, Action.PAUSE_ACCOUNT, "too_fast"),
    (613, 2534040, Action.PAUSE_ACCOUNT, "too_fast"),
    (613, 1996, Action.PAUSE_ACCOUNT, "volume_anomaly"),
    (10, 2534022, Action.WINDOW_CLOSED, "window_closed"),
    (10, 2018278, Action.WINDOW_CLOSED, "window_closed"),
    (10, 2018108, Action.PERSON_UNREACHABLE, "person_not_receiving"),
    (551, 0, Action.PERSON_UNREACHABLE, "person_not_receiving"),
    (551, 1545041, Action.PERSON_UNREACHABLE, "person_not_receiving"),
    (200, 1545041, Action.PERSON_UNREACHABLE, "person_not_receiving"),
    (10, 1893063, Action.PAUSE_ACCOUNT, "account_restricted"),
    (10, 0, Action.ASK_OWNER, "permission_missing"),
    (10, 99, Action.ASK_OWNER, "permission_missing"),
    (200, 0, Action.ASK_OWNER, "permission_missing"),
    (299, 0, Action.ASK_OWNER, "permission_missing"),
    (100, 0, Action.STOP, "bad_parameter"),
    (100, 2018001, Action.PERSON_UNREACHABLE, "person_unknown"),
    (100, 2534014, Action.PERSON_UNREACHABLE, "person_unknown"),
    (100, 2534029, Action.PAUSE_ACCOUNT, "account_blocked"),
    (100, 2018047, Action.RETRY, "media_not_fetched"),
    (100, 2018109, Action.RETRY, "media_too_large"),
    (190, 0, Action.REAUTHORISE, "token_dead"),
    (190, 458, Action.REAUTHORISE, "app_removed"),
    (190, 459, Action.REAUTHORISE, "checkpoint"),
    (190, 460, Action.REAUTHORISE, "password_changed"),
    (190, 463, Action.REAUTHORISE, "token_expired"),
    (190, 464, Action.REAUTHORISE, "account_unconfirmed"),
    (190, 467, Action.REAUTHORISE, "token_invalid"),
    (190, 492, Action.REAUTHORISE, "session_invalid"),
    (102, 0, Action.REAUTHORISE, "session_invalid"),
    (200, 2534041, Action.ASK_OWNER, "message_access_off"),
    (200, 2534048, Action.STOP, "review_pending"),
    (368, 0, Action.PAUSE_ACCOUNT, "policy_breach"),
    (341, 0, Action.PAUSE_ACCOUNT, "action_limit"),
    (506, 0, Action.STOP, "duplicate_text"),
    (1609005, 0, Action.STOP, "link_refused"),
    (2534025, 0, Action.ALREADY_DONE, "already_replied"),
    (10, 2534025, Action.ALREADY_DONE, "already_replied"),
    (100, 2534001, Action.PERSON_UNREACHABLE, "conversation_gone"),
    (2534001, 0, Action.PERSON_UNREACHABLE, "conversation_gone"),
    (613, 2534013, Action.LATER, "private_replies_limited"),
    (2534013, 0, Action.LATER, "private_replies_limited"),
    (9000001, 0, Action.STOP, "message_deleted"),
    (10900, 0, Action.STOP, "message_deleted"),
    (100, 2534068, Action.STOP, "several_pictures_off"),
    (20, 1772107, Action.ALREADY_DONE, "created_though_refused"),
    (9, 2207042, Action.LATER, "publishing_quota"),
    (-2, 2207020, Action.RETRY, "container_expired"),
    (-2, 2207003, Action.LATER, "media_fetch_slow"),
    (-1, 2207001, Action.PAUSE_ACCOUNT, "instagram_busy"),
    (36000, 2207004, Action.RETRY, "media_too_large"),
    (4, 2207051, Action.PAUSE_ACCOUNT, "spam_block"),
    (24, 2207008, Action.RETRY, "container_not_found"),
    (230, 0, Action.STOP, "consent_missing"),
    (100, 33, Action.STOP, "object_gone"),
    (9010, 0, Action.PERSON_UNREACHABLE, "person_unknown"),
]


def judge(code, subcode=0, *, status=400, repeatable=False, **members):
    fault = Fault(code=code, subcode=subcode, **members)
    return judge_fault(fault, http_status=status, repeatable=repeatable)


@pytest.mark.parametrize(("code", "subcode", "action", "reason"), SHEET)
def test_a_row_of_the_sheet(code, subcode, action, reason):
    verdict = judge(code, subcode)
    assert (verdict.action, verdict.reason) == (action, reason)


def test_every_rule_is_reached_by_a_row():
    reached = {judge(code, subcode).reason for code, subcode, *_ in SHEET}
    assert {rule.verdict.reason for rule in RULES} == reached
    actions = {judge(code, subcode).action for code, subcode, *_ in SHEET}
    assert actions == set(Action)


def test_no_two_rules_are_about_the_same():
    pairs = [(rule.code, rule.subcode) for rule in RULES]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.code}-{rule.subcode}")
def test_every_rule_speaks_to_the_shop_owner_and_names_its_reason(rule):
    assert rule.verdict.explanation[0].isupper()
    assert rule.verdict.explanation.endswith(".")
    assert rule.verdict.reason.replace("_", "").isalpha()
    if rule.verdict.action in {Action.LATER, Action.UNKNOWN, Action.PAUSE_PLATFORM}:
        assert rule.verdict.retry_after


def test_what_is_surely_not_sent_twice():
    """Only these may be repeated unchanged: the vendor said that nothing was done."""
    verdicts = [verdict_of(row) for row in SHEET]
    again = {one.reason for one in verdicts if one.action is Action.LATER or one.may_be_over}
    assert again == {
        "private_replies_limited",
        "publishing_quota",
        "media_fetch_slow",
        "instagram_busy",
    }


def verdict_of(row):
    return judge(row[0], row[1])


def test_how_long_each_pause_lasts():
    assert judge(10, 1893063).retry_after == 30 * MINUTE
    assert judge(10, 1893063).grows
    assert judge(100, 2534029).retry_after is None
    assert judge(368).retry_after == 24 * HOUR
    assert judge(613).retry_after == timedelta(seconds=2)
    assert judge(613).grows
    assert judge(2534013).retry_after == HOUR


def test_instagrams_own_estimate_wins():
    usage = Usage(account_percent=100, regain_after=41 * MINUTE)
    fault = Fault(code=80002)
    verdict = judge_fault(fault, http_status=400, repeatable=False, usage=usage)
    assert verdict.retry_after == 41 * MINUTE
    assert not verdict.grows
    closed = judge_fault(
        Fault(code=10, subcode=2534022), http_status=400, repeatable=False, usage=usage
    )
    assert closed.retry_after is None


@pytest.mark.parametrize(
    ("code", "status", "members", "action"),
    [
        (777, 400, {}, Action.STOP),
        (777, 400, {"is_transient": True}, Action.UNKNOWN),
        (777, 500, {}, Action.UNKNOWN),
        (0, 429, {}, Action.PAUSE_ACCOUNT),
        (190, 500, {}, Action.REAUTHORISE),
        (210, 403, {}, Action.ASK_OWNER),
    ],
)
def test_codes_nobody_listed(code, status, members, action):
    assert judge(code, status=status, **members).action is action


@pytest.mark.parametrize("code", [1, 2])
def test_what_may_be_done_twice_is_simply_done_again(code):
    assert judge(code, repeatable=True).action is Action.LATER
    assert judge(code, repeatable=False).action is Action.UNKNOWN


REQUEST = httpx.Request("POST", "https://graph.instagram.com/v26.0/me/messages")


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (httpx.ConnectError("refused", request=REQUEST), Action.PAUSE_ACCOUNT),
        (httpx.ConnectTimeout("slow", request=REQUEST), Action.PAUSE_ACCOUNT),
        (httpx.PoolTimeout("busy", request=REQUEST), Action.PAUSE_ACCOUNT),
        (httpx.WriteError("cut", request=REQUEST), Action.UNKNOWN),
        (httpx.WriteTimeout("slow", request=REQUEST), Action.UNKNOWN),
        (httpx.ReadError("cut", request=REQUEST), Action.UNKNOWN),
        (httpx.ReadTimeout("slow", request=REQUEST), Action.UNKNOWN),
        (httpx.RemoteProtocolError("gone", request=REQUEST), Action.UNKNOWN),
        (TimeoutError(), Action.UNKNOWN),
        (httpx.UnsupportedProtocol("ftp", request=REQUEST), Action.STOP),
        (httpx.InvalidURL("bad"), Action.STOP),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_without_an_answer_it_matters_whether_the_request_left(error, action):
    assert judge_network(error, repeatable=False).action is action
    twice = Action.LATER if action is Action.UNKNOWN else action
    assert judge_network(error, repeatable=True).action is twice


def test_a_page_instead_of_an_answer():
    assert judge_status(503, repeatable=False).action is Action.PAUSE_ACCOUNT
    assert judge_status(502, repeatable=False).action is Action.UNKNOWN
    assert judge_status(404, repeatable=False).action is Action.STOP


def test_both_shapes_of_errors_are_read():
    graph = {"error": {"message": "no", "code": "190", "error_subcode": 463, "fbtrace_id": "A"}}
    assert read_fault(graph) == Fault(code=190, subcode=463, message="no", trace_id="A")
    sign_in = {"error_type": "OAuthException", "code": 400, "error_message": "used"}
    assert read_fault(sign_in) == Fault(code=400, message="used", at_sign_in=True)


@pytest.mark.parametrize("answer", [None, [], "error", {}, {"error": None}, {"error": "text"}])
def test_what_names_no_error(answer):
    assert read_fault(answer) is None


@pytest.mark.parametrize("strange", [None, True, "x", "9" * 50, [], {}, 1.5])
def test_strange_codes_are_no_code(strange):
    fault = read_fault({"error": {"code": strange, "error_subcode": strange, "message": strange}})
    assert (fault.code, fault.subcode) == (0, 0)
