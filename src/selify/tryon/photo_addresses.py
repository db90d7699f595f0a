"""The addresses of shoppers' photos go with the photo.

A platform's link to a photo of a person is as private as the photo. It comes with an event and stands
in its row, or in an entry that was parked unread; a try-on's job has it until the photo is ours; and
what went wrong with any of them may quote it. Nowhere else is it written.

It goes when the photo's life ends (``core.queue.personal``, whatever became of the event: by then the
link is dead anyway), at once when the photo is taken back or not wanted any more, and with its account.
What people wrote themselves is no such address, and stays.
"""

from selify.core.database import Tx
from selify.core.queue import personal
from selify.messaging import unmatched_events


async def forget(tx: Tx, message_ref: str) -> None:
    """The photo of this message is gone: so are its addresses. The conversation is locked."""
    await personal.forget_attachments(tx, {"mid": message_ref})
    await unmatched_events.forget_addresses_of(tx, message_ref)
