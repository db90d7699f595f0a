"""How the keys of a try-on look: its job's, its charge's and those of its files. Put together here, and taken
apart nowhere else.

A photo is dressed once, so its message is in all of them.
"""

from collections.abc import Callable
from uuid import UUID

from selify.core import retention
from selify.messaging import keys as messages

PICTURE = "picture"
# Said about it, behind it; nothing of that where it does not arrive.
ABOUT_PICTURE = ("result", "one_piece_only", "feedback")

# Of an account, and of the message with the photo.
job: Callable[[UUID, str], str] = "{}/{}".format
# Of the job's key: under it the try-on stands in the books (``source_id``).
charge: Callable[[str], str] = "tryon:{}".format

_CHARGES = charge("")


def photo_key(workspace_id: UUID, key: str) -> str:
    """Where a shopper's photo is kept for as long as it is needed. ``key``: the job's."""
    return f"workspaces/{workspace_id}/photos/{retention.safe_name(key)}.jpg"


def result_key(workspace_id: UUID, key: str) -> str:
    return f"workspaces/{workspace_id}/results/{retention.safe_name(key)}.jpg"


def is_charge(source_id: str) -> str:
    """SQL: whether it is a try-on that was charged. ``source_id``: an expression."""
    return f"starts_with({source_id}, '{_CHARGES}')"


def account_of_charge(source_id: str) -> str:
    """SQL: the account, as text."""
    return messages.account_of(f"substr({source_id}, {len(_CHARGES) + 1})")


def charge_of_picture(key: str) -> str:
    """SQL: the ``source_id`` of the charge for the picture with that key in the outbox."""
    account, photo = messages.account_of(key), messages.answered(key, PICTURE)
    return f"'{_CHARGES}' || {account} || '/' || {photo}"
