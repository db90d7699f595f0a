"""``/sandbox/api``: the switchboard for trouble, and the record of what was delivered."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError

from selify.core.errors import Invalid, NotFound
from selify_sandbox.instagram.access import delivery_worker_of, world_of
from selify_sandbox.instagram.control.schemas import AccountTrouble, RateLimit
from selify_sandbox.instagram.people import shopper
from selify_sandbox.instagram.state import tokens
from selify_sandbox.instagram.state.live import until
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.state.switchboard import Faults, InjectedError
from selify_sandbox.instagram.webhooks import queue

router = APIRouter(prefix="/sandbox/api", tags=["trouble"])
Json = dict[str, Any]
RESTRICTION = 1800.0
MAX_WAIT = 30.0


@router.get("/faults")
async def read_faults(request: Request) -> Json:
    """Every fault, the forced rate limit, and queued errors."""
    return world_of(request).switchboard.state.model_dump()


@router.patch("/faults")
async def change_faults(request: Request, changes: dict[str, Any]) -> Faults:
    """Change some faults; the names and ranges are those of ``Faults``."""
    try:
        return await world_of(request).switchboard.change(changes)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


@router.delete("/faults", status_code=204)
async def reset_faults(request: Request) -> None:
    """A calm day again (waiting webhooks keep their times; see ``/deliveries/hurry``)."""
    await world_of(request).switchboard.reset()


@router.post("/rate-limit", status_code=204)
async def rate_limit(request: Request, limit: RateLimit) -> None:
    """Answer every call with a rate-limit error for a while."""
    await world_of(request).switchboard.throttle(limit.code, limit.seconds)


@router.post("/errors", status_code=204)
async def inject_error(request: Request, error: InjectedError) -> None:
    """Queue any error of the vendor for the next matching calls."""
    await world_of(request).switchboard.inject(error)


@router.post("/accounts/{account}/trouble", status_code=204)
async def account_trouble(request: Request, account: str, trouble: AccountTrouble) -> None:
    """Something happens to an account."""

    def act(tx: Tx) -> None:
        _ACTIONS[trouble.action](tx, shopper.find(tx, "accounts", account), trouble)
        tx.note("switchboard")

    await world_of(request).store.run(act)


def _set(column: str, value: Any) -> Any:
    sql = {
        "message_access": "UPDATE accounts SET message_access = ? WHERE id = ?",
        "banned": "UPDATE accounts SET banned = ? WHERE id = ?",
        "restricted_until": "UPDATE accounts SET restricted_until = ? WHERE id = ?",
        "subscribed_fields": "UPDATE accounts SET subscribed_fields = ? WHERE id = ?",
    }[column]

    def act(tx: Tx, account: Row, _: AccountTrouble) -> None:
        tx.run(sql, value() if callable(value) else value, account["id"])

    return act


def _deauthorize(tx: Tx, account: Row, _: AccountTrouble) -> None:
    tokens.kill(tx, account["id"], 458)
    tx.run("UPDATE accounts SET subscribed_fields = '' WHERE id = ?", account["id"])
    label = f"@{account['username']} removed the app"
    queue.enqueue_notice(tx, "deauthorize", account["app_scoped_id"], label)


def _request_deletion(tx: Tx, account: Row, _: AccountTrouble) -> None:
    label = f"@{account['username']} asks to delete their data"
    queue.enqueue_notice(tx, "deletion", account["app_scoped_id"], label)


_ACTIONS: dict[str, Any] = {
    "expire_token": lambda tx, account, _: tokens.expire(tx, account["id"]),
    "revoke_token": lambda tx, account, t: tokens.kill(tx, account["id"], t.subcode),
    "age_token": lambda tx, account, t: tokens.age(tx, account["id"], t.hours),
    "disable_messages": _set("message_access", 0),
    "enable_messages": _set("message_access", 1),
    "restrict": _set("restricted_until", lambda: time.time() + RESTRICTION),
    "lift_restriction": _set("restricted_until", 0),
    "ban": _set("banned", 1),
    "lift_ban": _set("banned", 0),
    "unsubscribe": _set("subscribed_fields", ""),
    "deauthorize": _deauthorize,
    "request_deletion": _request_deletion,
}


# Deliveries ------------------------------------------------------------------------------------


@router.get("/deliveries")
async def deliveries(
    request: Request, limit: Annotated[int, Query(ge=1, le=100_000)] = 50
) -> list[Json]:
    """The newest first, with status, attempts and what was answered."""
    return await world_of(request).store.run(queue.latest, limit)


@router.get("/deliveries/outstanding")
async def outstanding(
    request: Request, wait: Annotated[float, Query(ge=0, le=MAX_WAIT)] = 0
) -> Json:
    """How much still has to arrive; ``wait`` seconds for it to become nothing."""
    world = world_of(request)
    with world.hub.watching("deliveries") as changed:
        left = await world.store.run(queue.outstanding)
        deadline = time.monotonic() + wait
        while left and await until(changed, deadline - time.monotonic()):
            left = await world.store.run(queue.outstanding)
    return {"outstanding": left}


@router.post("/deliveries/hurry")
async def hurry(request: Request) -> Json:
    """Make everything that waits due now."""
    world = world_of(request)
    return {"moved": await world.store.run(queue.hurry, world.config.lanes)}


@router.post("/deliveries/{delivery_id}/again", status_code=204)
async def again(request: Request, delivery_id: int) -> None:
    """Deliver once more."""
    if not await world_of(request).store.run(queue.redeliver, delivery_id):
        raise NotFound("There is no such delivery, or it is on its way right now.")


@router.post("/handshake")
async def handshake(request: Request) -> Json:
    """Try the callback's verification now."""
    return {"verified": await delivery_worker_of(request).handshake()}
