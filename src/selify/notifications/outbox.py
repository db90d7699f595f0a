"""Telling a brand's people that they must act, from wherever it is noticed.

Notifications belong to the last domain, and those who have something to tell are earlier ones. So
a notice leaves as an outbox event, with the change it is about and not without it; the owner of
the table writes the rows (``selify.notifications.notices``). A notice can be given any number of
times: its ``dedupe_key`` names the business event, which is told once.
"""

from datetime import datetime
from uuid import UUID

from selify.core.database import Tx
from selify.core.language import ENGLISH, LANGUAGES, say
from selify.core.queue import outbox
from selify.notifications import keys
from selify.notifications.types import Notice

CHANNEL = "notice"


async def notify_workspace(
    tx: Tx,
    *,
    workspace_id: UUID,
    kind: str,
    title: str,
    body: str,
    dedupe_key: str,
    now: datetime,
    action_url: str | None = None,
    everyone: bool = False,
    only: UUID | None = None,
) -> bool:
    """Tell the workspace's owners and admins (or ``everyone`` in it, or ``only`` that member), once per
    ``dedupe_key``, in a system transaction. False when this was told before.

    ``kind`` is a stable word for programs; ``action_url`` a path of ours where one can act.
    """
    if action_url is not None and not action_url.startswith("/"):
        raise ValueError(f"action_url is a path of our own, not {action_url!r}")
    told = await outbox.enqueue(
        tx,
        channel=CHANNEL,
        key=keys.notice(workspace_id, dedupe_key),
        ordering_key=keys.workspace(workspace_id),
        workspace_id=workspace_id,
        payload=Notice(
            kind=kind,
            title=title,
            body=body,
            action_url=action_url,
            dedupe_key=dedupe_key,
            everyone=everyone,
            only=only,
            translations={
                language: {"title": say(title, language), "body": say(body, language)}
                for language in LANGUAGES
                if language != ENGLISH
            },
        ),
        now=now,
    )
    return told is not None
