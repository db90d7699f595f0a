"""Telling a brand's people, plugged in."""

from selify.core.container import Container
from selify.core.wiring import Wing, Work
from selify.notifications import endpoints, outbox, pages
from selify.notifications.notices import NoticeChannel


async def _work(container: Container) -> Work:
    return Work(channels={outbox.CHANNEL: NoticeChannel(container.clock)})


WING = Wing(name="notifications", routers=[endpoints.router], brings=[pages.PAGES], work=_work)
