"""The mails that people of a test got, as the machine's own mailbox holds them."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from tests.auth.conftest import SYSTEM, House

from selify.core.queue.outbox import OutboxWorker
from selify.notifications.email import CHANNEL, Letter, local_mailbox
from selify.notifications.email.delivery import LocalMailboxChannel


@dataclass(frozen=True)
class Mailbox:
    house: House

    async def deliver(self) -> list[Letter]:
        """All there are, the oldest first."""
        house = self.house
        channel = LocalMailboxChannel(house.box)
        worker = OutboxWorker(
            house.database, {CHANNEL: channel}, clock=house.clock, worker_id="mails"
        )
        while await worker.run_once():
            pass
        async with house.database.tx(SYSTEM) as tx:
            found = await local_mailbox.list_mails(tx, house.box, limit=1000)
        return [mail.letter for mail in reversed(found)]

    async def to(self, address: str) -> list[Letter]:
        return [letter for letter in await self.deliver() if letter.to == address]

    async def links(self, page: str, address: str | None = None) -> list[str]:
        """The secrets of the links to a page that were mailed, the oldest first."""
        return [
            parse_qs(urlsplit(letter.link).query)["token"][0]
            for letter in await self.deliver()
            if urlsplit(letter.link).path == page and address in (None, letter.to)
            if "token=" in letter.link
        ]

    async def newest(self, page: str, address: str | None = None) -> str:
        return (await self.links(page, address))[-1]


def once(page: str) -> str:
    """The one-time field of a page's form."""
    [field] = re.findall(r'name="once" value="([^"]+)"', page)
    return field
