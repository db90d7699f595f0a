"""From a shopper's photo to a picture: fetch, check, render, judge, store, finish.

The job's checkpoint holds the storage key of the photo once it is ours, because the platform's link
dies early. Everything after is repeatable: rendering is deterministic, storing overwrites, and
finishing happens once (the reservation's state decides).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from selify import commerce
from selify.commerce import GarmentPicture
from selify.core import retention
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.files.fetch import (
    FetchFailed,
    FetchTooLarge,
    FetchWrongType,
    SafeFetcher,
    UrlRefused,
)
from selify.core.files.pictures import ImageTooLarge, ImageUnreadable, open_picture
from selify.core.files.storage import FileMissing, Storage
from selify.core.language import _
from selify.core.logging import get_logger
from selify.core.queue import jobs
from selify.core.queue.defer import Defer
from selify.core.queue.jobs import Job
from selify.tryon import dressing, keys, lifecycle, metrics, repository
from selify.tryon.dressing import Dressed, Wearable
from selify.tryon.garment_pictures import open_garment
from selify.tryon.lifecycle import RenderResult, Request
from selify.tryon.ports import EngineUnavailable
from selify.tryon.routing import Routed, TryOnRouter
from selify.tryon.types import (
    GarmentCategory,
    Picture,
    Refusal,
    RefusalCode,
    Rendering,
)

log = get_logger(__name__)

ACTOR = Actor.system("tryon job")
# With every retry and every engine's rest, no try-on goes on for longer.
LONGEST_JOB = timedelta(hours=1)
ENGINE_PATIENCE = timedelta(minutes=10)
TRANSIENT = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class PhotoRules:
    """``keep``: how long a photo may stay; ``hosts``: the platform's hosts, and no others."""

    max_bytes: int
    keep: timedelta
    hosts: tuple[str, ...]


class TryOnJob:
    """The kind ``tryon``. Payload: tryon.lifecycle.Request."""

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
        request = Request.from_job(job)
        async with self._database.tx(ACTOR) as tx:
            if not await lifecycle.may_continue(tx, request, now=self._clock.now()):
                await lifecycle.abandon(tx, self._clock, request, reason=lifecycle.NO_LONGER_WANTED)
                return
            binding = await repository.binding(tx, request.binding_id)
            garment = await commerce.garment_picture(tx, binding.garment_id) if binding else None
            other = binding.worn_with if binding else None
            second = await commerce.garment_picture(tx, other.garment_id) if other else None
            if "photo" not in job.checkpoint:
                # Listed for deletion first, stored second. While the job may need it, it stays.
                await self._limit_life(tx, request, max(self._rules.keep, LONGEST_JOB))
        photo = await self._photo(job, request)
        if isinstance(photo, Refusal):
            await self._refuse(request, photo)
        elif garment is None:
            gone = _("The garment is gone.")
            await self._refuse(
                request, Refusal(RefusalCode.GARMENT_NOT_FOUND, gone, "Bind another.")
            )
        else:
            await self._dress(job, request, photo, garment, second)

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        """All tries failed: the charge goes back and the shopper hears an apology."""
        refusal = Refusal(RefusalCode.TIMED_OUT, _("It took too long."), "Please try again.")
        log.error("try-on given up", key=job.key, reason=reason)
        await lifecycle.refuse(tx, self._clock, Request.from_job(job), refusal)

    async def _photo(self, job: Job, request: Request) -> Picture | Refusal:
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
            await self._keep(job, request, picture)
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
            status = int(failed.extra.get("upstream_status", 0))
            if 400 <= status < 500 and status not in TRANSIENT:
                return _photo_refusal(RefusalCode.PHOTO_GONE)
            raise
        return fetched.data

    async def _keep(self, job: Job, request: Request, picture: Picture) -> None:
        """It is ours now: nobody needs to know any more where it came from."""
        key = keys.photo_key(request.workspace_id, request.key)
        await self._storage.put(key, picture.data, content_type=picture.content_type)
        async with self._database.tx(ACTOR) as tx:
            await jobs.save_checkpoint(
                tx, job, {"photo": key}, now=self._clock.now(), forget=Request.personal
            )

    async def _dress(
        self,
        job: Job,
        request: Request,
        photo: Picture,
        garment: GarmentPicture,
        second: GarmentPicture | None,
    ) -> None:
        """Raises Defer while every engine rests, and EngineUnavailable once that is too long."""
        main = await self._wearable(garment)
        if isinstance(main, Refusal):
            await self._refuse(request, main)
            return
        with_it = await self._wearable(second) if second else None
        await self._storage.check_room()  # what cannot be stored is not paid for
        try:
            dressed = await dressing.dress(self._router, photo, main, with_it)
        except EngineUnavailable as error:
            if self._clock.now() - job.created_at > ENGINE_PATIENCE:
                raise
            after = timedelta(seconds=min(error.retry_after or 10, 60))
            raise Defer(error.reason, after) from error
        routed = dressed.routed
        if isinstance(routed.result, Refusal):
            await self._refuse(request, routed.result, routed)
            return
        worn = [garment, *([second] if second and not dressed.left_out else [])]
        await self._deliver(request, worn, dressed, routed.result)

    async def _wearable(self, garment: GarmentPicture) -> Wearable | Refusal:
        try:
            category = GarmentCategory.from_leffa(garment.leffa_category)
            data = await self._storage.get(garment.storage_path)
            picture = await asyncio.to_thread(open_garment, data, await self._read_before(garment))
        except (FileMissing, ImageTooLarge, ImageUnreadable) as error:
            return Refusal(RefusalCode.GARMENT_NOT_FOUND, error.detail, error.hint)
        except KeyError:
            return _NO_CATEGORY
        return Wearable(picture, category)

    async def _read_before(self, garment: GarmentPicture) -> bytes | None:
        try:
            return await self._storage.get(commerce.file_beside(garment.storage_path))
        except FileMissing:
            return None

    async def _refuse(
        self,
        request: Request,
        refusal: Refusal,
        routed: Routed | None = None,
    ) -> None:
        """``routed``: None where no engine was asked."""
        async with self._database.tx(ACTOR) as tx:
            await self._limit_life(tx, request, self._rules.keep)
            await lifecycle.refuse(
                tx,
                self._clock,
                request,
                refusal,
                cost=routed.cost if routed else None,
                engine=routed.paid_engine if routed else "",
                attempts=routed.attempts if routed else (),
            )

    async def _deliver(
        self,
        request: Request,
        worn: Sequence[GarmentPicture],
        dressed: Dressed,
        rendering: Rendering,
    ) -> None:
        metrics.picture_seconds.labels(rendering.engine).observe(rendering.seconds)
        key = keys.result_key(request.workspace_id, request.key)
        picture = rendering.picture
        await self._storage.put(key, picture.data, content_type=picture.content_type)
        for garment in worn:
            # For the next shopper, whichever process dresses them.
            read = rendering.garment_files.get(GarmentCategory.from_leffa(garment.leffa_category))
            if read is not None:
                beside = commerce.file_beside(garment.storage_path)
                await self._storage.put(beside, read, content_type="application/zip")
        routed = dressed.routed
        made = RenderResult(rendering, key, routed.cost, routed.attempts, dressed.left_out)
        ids = [garment.garment_id for garment in worn]
        async with self._database.tx(ACTOR) as tx:
            await self._limit_life(tx, request, self._rules.keep)
            cards = [card for one in ids if (card := await commerce.product_card(tx, one))]
            if await lifecycle.finish(tx, self._clock, request, made, cards):
                for one in ids:
                    await commerce.record_use(
                        tx, one, request.workspace_id, "tryon", once=request.key
                    )

    async def _limit_life(self, tx: Tx, request: Request, keep: timedelta) -> None:
        await retention.keep_until(
            tx,
            keys.photo_key(request.workspace_id, request.key),
            until=self._clock.now() + keep,
            reason="shopper's photo",
            workspace_id=request.workspace_id,
        )


_NO_CATEGORY = Refusal(
    RefusalCode.GARMENT_CATEGORY_MISSING,
    _("Nobody has said yet whether this garment is a top, a dress or a bottom."),
    "Choose its category in the wardrobe.",
)


def _photo_refusal(code: RefusalCode) -> Refusal:
    return Refusal(code, _("This photo cannot be used."), "Please send it again.")
