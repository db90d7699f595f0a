"""Telling a brand's people, plugged in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from selify.core.container import Container
from selify.core.personal_data import PersonalPart
from selify.core.queue.outbox import Channel
from selify.core.wiring import Sealed, Wing, Work
from selify.notifications import endpoints, outbox, pages
from selify.notifications.email import CHANNEL, local_mailbox, mailer
from selify.notifications.email.delivery import LocalMailboxChannel, MailServerChannel
from selify.notifications.email.settings import EmailSettings, MailServer
from selify.notifications.notices import PERSONAL, NoticeChannel


@asynccontextmanager
async def _open(container: Container) -> AsyncIterator[None]:
    container.offer(PersonalPart, PERSONAL)
    yield


async def _work(container: Container) -> Work:
    return Work(
        channels={outbox.CHANNEL: NoticeChannel(container.clock), CHANNEL: _email(container)}
    )


def _email(container: Container) -> Channel:
    settings = container.settings.of(EmailSettings)
    if not settings.has_mail_server:
        return LocalMailboxChannel(container.secrets)
    server = MailServer.parse(settings.mail_server)
    return MailServerChannel(container.secrets, server, settings.mail_sender)


WING = Wing(
    name="notifications",
    routers=[endpoints.router],
    pruned=(local_mailbox.PRUNED,),
    sealed=(
        Sealed(mailer.reseal_letters, mailer.KEYS_IN_USE),
        Sealed(local_mailbox.reseal, local_mailbox.KEYS_IN_USE),
    ),
    brings=[pages.PAGES],
    opens=_open,
    work=_work,
)
