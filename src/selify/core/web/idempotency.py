"""Asking twice does once: the answer to a request with an ``Idempotency-Key`` is kept and replayed.

Rows: ``internal.idempotency_keys``. The key is reserved, the work done and the answer stored in one
transaction, so a crash in between leaves nothing behind.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.errors import Conflict
from selify.core.language import _
from selify.core.pruning import Rule

KEPT_FOR = timedelta(hours=24)
PRUNED = (Rule("internal.idempotency_keys", "expires_at", timedelta()),)


class IdempotencyMismatch(Conflict):
    code = "idempotency_mismatch"
    title = _("This Idempotency-Key was used for another request")


async def once(
    tx: Tx,
    clock: Clock,
    *,
    scope_id: UUID,
    key: str,
    request: Any,
    work: Callable[[], Awaitable[Any]],
) -> Any:
    """Do ``work`` unless this key has been answered before; the (JSON) answer either way.

    ``scope_id`` is whose key it is, a user's or a workspace's: nobody meets the keys of others.

    ``tx`` must be a system transaction. A second request with the same key waits for the first
    one's row lock. Raises IdempotencyMismatch when the same key comes with a different request.
    """
    digest = hashlib.sha256(
        orjson.dumps(request, option=orjson.OPT_SORT_KEYS, default=str)
    ).digest()
    now = clock.now()
    await tx.execute(
        "DELETE FROM internal.idempotency_keys WHERE scope_id = $1 AND key = $2 AND expires_at < $3",
        scope_id,
        key,
        now,
    )
    fresh = await tx.execute(
        """
        INSERT INTO internal.idempotency_keys (scope_id, key, request_hash, expires_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (scope_id, key) DO NOTHING
        """,
        scope_id,
        key,
        digest,
        now + KEPT_FOR,
    )
    if not fresh:
        return await _earlier_answer(tx, scope_id, key, digest)
    answer = await work()
    await tx.execute(
        "UPDATE internal.idempotency_keys SET status = 200, response = $3 WHERE scope_id = $1 AND key = $2",
        scope_id,
        key,
        answer,
    )
    return answer


async def _earlier_answer(tx: Tx, scope_id: UUID, key: str, digest: bytes) -> Any:
    row = await tx.fetch_one(
        "SELECT request_hash, response FROM internal.idempotency_keys WHERE scope_id = $1 AND key = $2",
        scope_id,
        key,
    )
    if row is None or bytes(row["request_hash"]) != digest:
        raise IdempotencyMismatch(
            _("The same Idempotency-Key came with different values."),
            hint=_("Use a new key for a new request."),
        )
    return row["response"]
