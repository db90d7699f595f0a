"""Replicate's webhooks: the prediction object, signed as Standard Webhooks has it.

Source: the Standard Webhooks specification; Replicate's guide "Verify webhooks".
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from selify.core.errors import BadRequest, Forbidden

TOLERANCE: Final = timedelta(seconds=300)
MAX_SIGNATURES: Final = 10
FINAL_STATES: Final = frozenset({"succeeded", "failed", "canceled", "aborted"})
_STATES: Final = FINAL_STATES | {"starting", "processing"}


class SignatureWrong(Forbidden):
    """Not signed by Replicate with a secret of ours, too old, or changed on its way."""

    code = "replicate_signature_wrong"


class UnreadableDelivery(BadRequest):
    """Signed, and still no prediction."""

    code = "replicate_delivery_unreadable"


@dataclass(frozen=True, slots=True)
class PredictionEvent:
    """A prediction at one moment. Deliveries repeat and overtake each other: go by the state."""

    delivery_id: str
    prediction_id: str
    state: str
    output: Any
    error: str
    predict_seconds: float | None

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES


def verify(headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: datetime) -> None:
    """Check header names in lower case, the raw body, any of the secrets (``whsec_…``).

    Raises SignatureWrong; a secret that is not one raises ValueError, for it is our own mistake.
    """
    delivery_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    if not delivery_id or not (stamp.isascii() and stamp.isdecimal()) or len(stamp) > 12:
        raise SignatureWrong("The delivery's id or time stamp is missing.")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise SignatureWrong("The delivery is too old, or one of the clocks is wrong.")
    given = [
        signature.encode()
        for version, _, signature in (
            entry.partition(",") for entry in headers.get("webhook-signature", "").split()
        )
        if version == "v1"
    ][:MAX_SIGNATURES]
    message = f"{delivery_id}.{stamp}.".encode() + body
    expected = [sign(secret, message) for secret in secrets]
    if not any(hmac.compare_digest(a, b) for a in given for b in expected):
        raise SignatureWrong("The signature does not fit.")


def sign(secret: str, message: bytes) -> bytes:
    """The Base64 signature of ``id.timestamp.body``."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret has the form whsec_ and Base64") from error
    return base64.b64encode(hmac.digest(key, message, hashlib.sha256))


def parse(headers: Mapping[str, str], body: bytes) -> PredictionEvent:
    """Raises UnreadableDelivery."""
    try:
        prediction = json.loads(body)
        prediction_id, state = prediction["id"], str(prediction["status"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableDelivery("The delivery is not a prediction.") from error
    if not isinstance(prediction_id, str) or not prediction_id or state not in _STATES:
        raise UnreadableDelivery("The delivery is not a prediction.")
    metrics = prediction.get("metrics")
    seconds = metrics.get("predict_time") if isinstance(metrics, dict) else None
    return PredictionEvent(
        headers.get("webhook-id", ""),
        prediction_id,
        state,
        prediction.get("output"),
        str(prediction.get("error") or ""),
        float(seconds) if isinstance(seconds, int | float) else None,
    )
