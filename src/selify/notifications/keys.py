"""How the keys of notices look: put together here, and taken apart nowhere."""

import hashlib
from collections.abc import Callable
from uuid import UUID

# Of a workspace and of what it is told once (``dedupe_key``).
notice: Callable[[UUID, str], str] = "{}/{}".format
# What a workspace is told stays in order.
workspace: Callable[[UUID], str] = "notice/{}".format
# What a mail's letter is sealed about: its own key.
letter: Callable[[str], str] = "letter/{}".format
# The same once it lies in the machine's own mailbox, by its id.
local_mail: Callable[[UUID], str] = "local mail/{}".format


def mailbox(address: str) -> str:
    """What a mailbox is sent stays in order. Where queues are looked at its address is not said."""
    return f"email/{hashlib.sha256(address.lower().encode()).hexdigest()[:32]}"
