"""Queueing a mail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from selify.core.database import Tx
from selify.core.queue import outbox, outbox_rows
from selify.core.queue.payload import Payload
from selify.core.secrets import SecretBox
from selify.core.settings import Settings
from selify.notifications import keys
from selify.notifications.email.letter import Email, Letter

CHANNEL = "email"
SEALED = "sealed"


class SealedLetter(Payload):
    """A letter that only the deliverer opens, and that is gone once it was delivered."""

    sealed: str = ""


@dataclass(frozen=True, slots=True)
class Mailer:
    """Whoever has something to mail has one. ``public_url``: before every link."""

    box: SecretBox
    public_url: str

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(settings.secret_box, settings.public_url)

    async def send(self, tx: Tx, email: Email, *, key: str, now: datetime) -> bool:
        """Leaves once ``tx``, a system transaction, has committed; False where this key was sent before."""
        letter = Letter.of(email, public_url=self.public_url)
        queued = await outbox.enqueue(
            tx,
            channel=CHANNEL,
            key=key,
            ordering_key=keys.mailbox(letter.to),
            payload=SealedLetter(sealed=sealed(self.box, letter, key)),
            now=now,
        )
        return queued is not None


def sealed(box: SecretBox, letter: Letter, key: str) -> str:
    return box.seal(letter.model_dump_json(), about=keys.letter(key))


def opened(box: SecretBox, text: str, key: str) -> Letter:
    """Raises SecretUnreadable."""
    return Letter.model_validate_json(box.open(text, about=keys.letter(key)))


async def reseal_letters(tx: Tx, box: SecretBox) -> int:
    """Of those that have not left: seal them with the current key; how many were not yet."""
    old = [
        row
        for row in await outbox_rows.open_of(tx, channel=CHANNEL)
        if (text := row.payload.get(SEALED)) and not box.is_current(text)
    ]
    for row in old:
        text = box.reseal(row.payload[SEALED], about=keys.letter(row.key))
        await outbox_rows.note(tx, row.id, **{SEALED: text})
    return len(old)


KEYS_IN_USE = outbox_rows.sealing_keys(CHANNEL, SEALED)
