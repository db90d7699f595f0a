"""The delivery worker: packs queued events into signed POSTs and keeps trying.

Every lane has one worker, so one conversation's first attempts leave in order on a calm day; what
failed waits in the ``deliveries`` table and comes back with falling frequency, out of order, as
the vendor's retries do. All state is in the database: a killed stand-in resumes where it was.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx

from selify.core.logging import get_logger
from selify_sandbox.instagram.state.live import until
from selify_sandbox.instagram.state.signatures import signed_request, webhook_signature
from selify_sandbox.instagram.state.world import World
from selify_sandbox.instagram.webhooks import queue
from selify_sandbox.instagram.webhooks.queue import Delivery

log = get_logger(__name__)
IDLE_SECONDS = 30.0
FAILURE_PAUSE_SECONDS = 1.0
RETRY_WORKERS = 2
USER_AGENT = "facebookexternalua"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended; ``status`` is None when nobody answered."""

    status: int | None
    note: str = ""
    answer: str = ""

    @property
    def delivered(self) -> bool:
        """Only a plain 200 counts."""
        return self.status == 200


class DeliveryWorker:
    """Starts with the app and stops with it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: list[asyncio.Task[None]] = []
        self._handshake = asyncio.Lock()
        self._verified = False

    async def start(self) -> None:
        """Take up what the last run left in flight and begin."""
        await self._world.store.run(queue.recover)
        workers: list[Callable[[], Awaitable[None]]] = [
            *(partial(self._drain_lane, lane) for lane in range(self._world.config.lanes)),
            *([self._drain_retries] * RETRY_WORKERS),
        ]
        self._tasks = [asyncio.create_task(self._keep_going(work)) for work in workers]

    async def stop(self) -> None:
        """Stop at once; what was in flight is taken up by the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_going(self, work: Callable[[], Awaitable[None]]) -> None:
        """A full disk or a bug stops one attempt, never the deliveries."""
        while True:
            try:
                await work()
            except Exception:
                log.exception("sandbox_delivery_worker_failed")
                await asyncio.sleep(FAILURE_PAUSE_SECONDS)

    async def _drain_lane(self, lane: int) -> None:
        store, board = self._world.store, self._world.switchboard
        with self._world.hub.watching(f"lane:{lane}") as changed:
            while True:
                delivery = await store.run(queue.take_due, lane, board.faults.batch_size)
                if delivery:
                    await self._attempt(delivery)
                    continue
                due = await store.run(queue.next_due, lane)
                await until(changed, _pause(due))

    async def _drain_retries(self) -> None:
        store = self._world.store
        with self._world.hub.watching("retries") as changed:
            while True:
                delivery = await store.run(queue.claim_retry)
                if delivery:
                    await self._attempt(delivery)
                    continue
                due = await store.run(queue.next_retry)
                await until(changed, _pause(due))

    async def _attempt(self, delivery: Delivery) -> None:
        try:
            outcome = await self._send(delivery)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("sandbox_delivery_failed", delivery=delivery.id)
            outcome = Outcome(None, f"stand-in failed: {type(error).__name__}")
        await self._world.store.run(
            queue.record_attempt,
            delivery,
            outcome.status,
            outcome.note,
            outcome.answer,
            self._world.config.retry_delays,
        )

    async def _send(self, delivery: Delivery) -> Outcome:
        if delivery.kind != "webhook":
            return await self._send_signed_request(delivery)
        if not self._world.config.callback_url:
            return Outcome(200, "no callback address is set: nobody was told")
        if not await self._verify():
            return Outcome(None, "the server did not pass the handshake (hub.challenge)")
        return await self._send_webhook(delivery)

    async def _send_webhook(self, delivery: Delivery) -> Outcome:
        config, faults = self._world.config, self._world.switchboard.faults
        body = queue.body(delivery, faults)
        note = ""
        if delivery.attempt == 1 and self._world.switchboard.chance(faults.forge_percent):
            forged = await self._post_webhook(body, secrets.token_hex(16))
            note = (
                f"a copy with a wrong signature was refused ({forged.status})"
                if forged.status is not None and not 200 <= forged.status < 300
                else "A FORGED COPY WAS ACCEPTED"
                if forged.status is not None
                else "a forged copy met no answer"
            )
        outcome = await self._post_webhook(body, config.app_secret)
        return Outcome(outcome.status, " · ".join(filter(None, (note, outcome.note))))

    async def _post_webhook(self, body: bytes, secret: str) -> Outcome:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "X-Hub-Signature-256": webhook_signature(body, secret),
        }
        return await self._post(self._world.config.callback_url, body, headers)

    async def _send_signed_request(self, delivery: Delivery) -> Outcome:
        config = self._world.config
        url = config.deauthorize_url if delivery.kind == "deauthorize" else config.deletion_url
        if not url:
            return Outcome(200, "no address is set for this notice: nobody was told")
        now = int(time.time())
        payload = {
            "algorithm": "HMAC-SHA256",
            "expires": now + 3600,
            "issued_at": now,
            "user_id": delivery.subject,
        }
        form = urlencode({"signed_request": signed_request(payload, config.app_secret)}).encode()
        return await self._post(url, form, {"Content-Type": FORM, "User-Agent": USER_AGENT})

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        try:
            response = await self._world.http.post(
                url, content=body, headers=headers, timeout=self._world.config.delivery_timeout
            )
        except httpx.TimeoutException:
            return Outcome(None, "no answer in time")
        except httpx.HTTPError as error:
            return Outcome(None, f"no connection ({type(error).__name__})")
        return Outcome(response.status_code, answer=response.text[:2000])

    async def _verify(self) -> bool:
        """The handshake, once per start and again until it succeeds."""
        async with self._handshake:
            if not self._verified:
                self._verified = await self.handshake()
            return self._verified

    async def handshake(self) -> bool:
        """GET the callback with a challenge; True if it comes back bare with status 200."""
        config = self._world.config
        challenge = str(secrets.randbelow(10**9))
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": config.verify_token,
        }
        parts = urlsplit(config.callback_url)
        joined = "&".join(filter(None, (parts.query, urlencode(query))))
        url = urlunsplit(parts._replace(query=joined))
        try:
            answer = await self._world.http.get(url, timeout=config.delivery_timeout)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and answer.text == challenge


def _pause(due: float | None) -> float:
    return IDLE_SECONDS if due is None else min(IDLE_SECONDS, max(0.0, due - time.time()))
