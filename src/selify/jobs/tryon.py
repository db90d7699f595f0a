"""From a shopper's photo to a picture: fetch, check, render, judge, store, finish.

The job's checkpoint holds the storage key of the photo once it is ours, because the platform's link
dies early. Everything after is repeatable: rendering is deterministic, storing overwrites, and
finishing happens once (the reservation's state decides).
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from selify import commerce
from selify.ai.tryon.routing import Routed, TryOnRouter
from selify.ai.types import GarmentCategory, Picture, Refusal, RefusalCode, Rendering, RenderOptions
from selify.commerce import GarmentPicture
from selify.core import jobs, metrics, retention
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import SelifyError
from selify.core.fetch import (
    FetchFailed,
    FetchTooLarge,
    FetchWrongType,
    SafeFetcher,
    UrlRefused,
)
from selify.core.jobs import Job
from selify.core.logging import get_logger
from selify.core.pictures import ImageTooLarge, ImageUnreadable, Transparency, open_picture
from selify.core.storage import FileMissing, Storage
from selify.social import repository, tryons
from selify.social.tryons import Made, Request

log = get_logger(__name__)

ACTOR = Actor.system("tryon job")


@dataclass(frozen=True, slots=True)
class PhotoRules:
    """``keep``: how long a photo may stay; ``hosts``: the platform's hosts, and no others."""

    max_bytes: int
    keep: timedelta
    hosts: tuple[str, ...]


class TryOnJob:
    """The kind ``tryon``. Payload: social.tryons.Request."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        fetcher: SafeFetcher,
        router: TryOnRouter,
        *,
        clock: Clock,
        rules: PhotoRules,
    ) -> None:
        self._database = database
        self._storage = storage
        self._fetcher = fetcher
        self._router = router
        self._clock = clock
        self._rules = rules

    async def run(self, job: Job) -> None:
        """See the module's text."""
        request = Request.from_payload(job.key, job.payload)
        workspace_id = _workspace(job)
        async with self._database.tx(ACTOR) as tx:
            binding = await tryons.may_continue(tx, request, now=self._clock.now())
            garment = await commerce.garment_picture(tx, binding.garment_id) if binding else None
        if binding is None or garment is None:
            async with self._database.tx(ACTOR) as tx:
                await tryons.abandon(tx, self._clock, request, reason=tryons.NO_LONGER_WANTED)
            return
        photo = await self._photo(job, request, workspace_id)
        outcome = photo if isinstance(photo, Refusal) else await self._render(photo, garment)
        await self._conclude(request, workspace_id, binding, outcome)

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        """All tries failed: the charge goes back and the shopper hears an apology."""
        refusal = Refusal(RefusalCode.TIMED_OUT, "It took too long.", "Please try again.")
        log.error("try-on given up", key=job.key, reason=reason)
        await tryons.refuse(tx, self._clock, Request.from_payload(job.key, job.payload), refusal)

    async def _photo(self, job: Job, request: Request, workspace_id: UUID) -> Picture | Refusal:
        """The shopper's photo: ours already, or fetched now."""
        stored = job.checkpoint.get("photo")
        data = await self._stored(stored) if stored else await self._fetched(request)
        if isinstance(data, Refusal):
            return data
        try:
            picture = await asyncio.to_thread(open_picture, data, max_bytes=self._rules.max_bytes)
        except ImageTooLarge:
            return _photo_refusal(RefusalCode.IMAGE_TOO_LARGE)
        except ImageUnreadable:
            return _photo_refusal(RefusalCode.IMAGE_UNREADABLE)
        if not stored:
            await self._keep(job, request, workspace_id, picture)
        return picture

    async def _stored(self, key: str) -> bytes | Refusal:
        try:
            return await self._storage.get(key)
        except FileMissing:
            return _photo_refusal(RefusalCode.PHOTO_GONE)

    async def _fetched(self, request: Request) -> bytes | Refusal:
        """Raises FetchFailed when trying again may help."""
        try:
            fetched = await self._fetcher.fetch(
                request.photo_url,
                accept=("image/*",),
                only_hosts=self._rules.hosts,
                max_bytes=self._rules.max_bytes,
            )
        except FetchTooLarge:
            return _photo_refusal(RefusalCode.IMAGE_TOO_LARGE)
        except FetchWrongType:
            return _photo_refusal(RefusalCode.IMAGE_UNREADABLE)
        except UrlRefused:
            return _photo_refusal(RefusalCode.PHOTO_GONE)
        except FetchFailed as failed:
            # A signed link that has died answers 4xx for ever; everything else may pass.
            if 400 <= int(failed.extra.get("upstream_status", 0)) < 500:
                return _photo_refusal(RefusalCode.PHOTO_GONE)
            raise
        return fetched.data

    async def _keep(self, job: Job, request: Request, workspace_id: UUID, picture: Picture) -> None:
        key = tryons.photo_key(workspace_id, request.key)
        async with self._database.tx(ACTOR) as tx:
            await retention.keep_until(
                tx,
                key,
                until=self._clock.now() + self._rules.keep,
                reason="shopper's photo",
                workspace_id=workspace_id,
            )
        await self._storage.put(key, picture.data, content_type=picture.content_type)
        async with self._database.tx(ACTOR) as tx:
            await jobs.save_checkpoint(tx, job, {"photo": key})

    async def _render(self, photo: Picture, garment: GarmentPicture) -> Routed | Refusal:
        try:
            data = await self._storage.get(garment.storage_path)
            picture = await asyncio.to_thread(open_picture, data, transparency=Transparency.KEEP)
            category = GarmentCategory.from_leffa(garment.leffa_category)
        except SelifyError as error:
            return Refusal(RefusalCode.GARMENT_NOT_FOUND, error.detail, error.hint)
        except KeyError:
            return Refusal(
                RefusalCode.GARMENT_CATEGORY_MISSING,
                "Nobody has said yet whether this garment is a top, a dress or a bottom.",
                "Choose its category in the wardrobe.",
            )
        return await self._router.render(photo, picture, RenderOptions(category=category))

    async def _conclude(
        self,
        request: Request,
        workspace_id: UUID,
        binding: repository.Binding,
        outcome: Routed | Refusal,
    ) -> None:
        result = outcome.result if isinstance(outcome, Routed) else outcome
        if isinstance(result, Rendering):
            assert isinstance(outcome, Routed)  # noqa: S101 - only a router makes renderings
            metrics.tryon_seconds.labels(result.engine).observe(result.seconds)
            key = tryons.result_key(workspace_id, request.key)
            await self._storage.put(
                key, result.picture.data, content_type=result.picture.content_type
            )
            made = Made(result, key, outcome.cost, len(outcome.attempts))
            async with self._database.tx(ACTOR) as tx:
                card = await commerce.product_card(tx, binding.garment_id)
                await commerce.record_use(
                    tx, binding.garment_id, workspace_id, "tryon", once=request.key
                )
                await tryons.finish(tx, self._clock, request, made, card)
        else:
            async with self._database.tx(ACTOR) as tx:
                await tryons.refuse(tx, self._clock, request, result)


def _photo_refusal(code: RefusalCode) -> Refusal:
    return Refusal(code, "This photo cannot be used.", "Please send it again.")


def _workspace(job: Job) -> UUID:
    if job.workspace_id is None:
        raise ValueError("a try-on job belongs to a workspace")
    return job.workspace_id
