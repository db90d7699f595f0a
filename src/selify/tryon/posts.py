"""Posts and the garments they show: ``social_posts`` and ``social_posts_garment_bindings``.

Posts are copied from the platform page by page, under a lease that a crashed worker loses
(``social_account_sync_metadata``); how often is decided by how lively the account is
(``account_sync_metadata``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from selify.commerce import LOW_CONFIDENCE
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import Invalid, NotFound, SelifyError
from selify.core.ids import new_id
from selify.core.language import _
from selify.core.logging import get_logger
from selify.core.outage import is_away
from selify.core.secrets import SecretBox
from selify.core.wrong_clocks import Bound, interval
from selify.messaging import repository as accounts
from selify.messaging import tokens
from selify.messaging.ports import AccountGateway, Credentials, PlatformRefused, PostItem
from selify.messaging.types import Account
from selify.tryon import repository
from selify.tryon.keyword_rules import check_keywords
from selify.tryon.keywords import Keywords, resolve
from selify.tryon.outfits import GarmentMetadata, NotWornTogether, check_pair

log = get_logger(__name__)

ACTOR = Actor.system("post sync")
LEASE = timedelta(minutes=15)
MAX_PAGES = 20
EVERY_MINUTES = {"hot": 5, "warm": 30, "cold": 360}
# How far ahead times of the synchronisation can honestly lie; posts are looked at far more often.
BOUNDS = (
    Bound(
        "public.social_account_sync_metadata",
        "next_allowed_sync",
        interval(timedelta(days=2)),
        # A new one is due at once.
        written="coalesce(last_sync_started_at, next_allowed_sync)",
    ),
    # Last: the one before asks for it.
    Bound("public.social_account_sync_metadata", "last_sync_started_at"),
    Bound("public.social_account_sync_metadata", "hour_window_start"),
)


class PostMissing(NotFound):
    code = "post_missing"
    title = _("This post is not here")


class GarmentUnclear(Invalid):
    code = "garment_unclear"
    title = _("Please check this garment first")


async def sync_due(
    database: Database, clock: Clock, secrets: SecretBox, gateway: AccountGateway
) -> int:
    """A routine: copy the posts of accounts whose time has come; how many accounts."""
    done = 0
    while (account_id := await _take_lease(database, clock, gateway.platform)) is not None:
        await sync_account(database, clock, secrets, gateway, account_id)
        done += 1
    return done


async def sync_account(
    database: Database,
    clock: Clock,
    secrets: SecretBox,
    gateway: AccountGateway,
    account_id: UUID,
) -> None:
    """All pages, newest first. What was copied before a failure stays, and the next time goes on there.

    Whatever goes wrong is the account's own trouble: it is written down, and the others go on.
    """
    listing = _Listing(database, clock, gateway, account_id)
    failure: str | None = None
    sender: Credentials | None = None
    dead = False
    try:
        async with database.tx(ACTOR) as tx:
            sender = await tokens.credentials(tx, secrets, account_id)
        await listing.copy(sender.token)
    except (PlatformRefused, SelifyError) as error:
        if is_away(error):
            raise
        failure = str(error)
        dead = isinstance(error, PlatformRefused) and error.token_dead
    except Exception as error:
        if is_away(error):
            raise
        log.exception("posts could not be copied", account_id=str(account_id))
        failure = f"{type(error).__name__}: {error}"[:1000]
    async with database.tx(ACTOR) as tx:
        if dead and sender:
            await tokens.died(tx, account_id, "token_dead", clock.now(), sealed=sender.sealed)
        await _give_lease_back(
            tx, account_id, clock.now(), calls=listing.calls, copied=listing.copied, failure=failure
        )


class _Listing:
    """One walk through an account's posts: the newest page, then on from where an earlier walk broke
    off, to the last page or for ``MAX_PAGES``.

    The last page is the one after which there is nothing, or nothing new: some platforms give a cursor
    there too, and go round in circles.
    """

    def __init__(
        self, database: Database, clock: Clock, gateway: AccountGateway, account_id: UUID
    ) -> None:
        self._database = database
        self._clock = clock
        self._gateway = gateway
        self._account_id = account_id
        self._seen: set[str] = set()
        self.calls = 0
        self.copied = 0

    async def copy(self, token: str) -> None:
        """Raises PlatformRefused; the place is kept, unless it is what was refused."""
        async with self._database.tx(ACTOR) as tx:
            broke_off: str | None = await tx.fetch_value(
                "SELECT cursor FROM internal.post_listings WHERE account_id = $1", self._account_id
            )
        after = await self._page(token, None)
        if broke_off and after:
            after = broke_off
        while after and self.calls < MAX_PAGES:
            try:
                after = await self._page(token, after)
            except PlatformRefused:
                if after == broke_off:
                    async with self._database.tx(ACTOR) as tx:
                        await self._keep_place(tx, None)
                raise

    async def _page(self, token: str, after: str | None) -> str | None:
        """The cursor of the next page; ``None`` at the end."""
        page = await self._gateway.posts(token, after)
        self.calls += 1
        fresh = [post for post in page.posts if post.post_ref not in self._seen]
        self._seen.update(post.post_ref for post in fresh)
        self.copied += len(fresh)
        follows = page.after if fresh and page.after != after else None
        async with self._database.tx(ACTOR) as tx:
            await store_posts(tx, self._account_id, fresh, now=self._clock.now())
            if after or not follows:
                await self._keep_place(tx, follows)
        return follows

    async def _keep_place(self, tx: Tx, cursor: str | None) -> None:
        if cursor is None:
            await tx.execute(
                "DELETE FROM internal.post_listings WHERE account_id = $1", self._account_id
            )
            return
        await tx.execute(
            """
            INSERT INTO internal.post_listings (account_id, cursor) VALUES ($1, $2)
            ON CONFLICT (account_id) DO UPDATE SET cursor = excluded.cursor
            """,
            self._account_id,
            cursor,
        )


async def store_posts(
    tx: Tx, account_id: UUID, posts: Sequence[PostItem], *, now: datetime
) -> None:
    """Insert or refresh by (account, the platform's id)."""
    account = await accounts.account(tx, account_id)
    if account is None:
        return
    await tx.execute_many(
        """
        INSERT INTO public.social_posts
               (connected_account_id, workspace_id, platform, platform_post_id, platform_url,
                caption, media_type, media_urls, thumbnail_url, like_count, comment_count,
                posted_at, last_synced_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (connected_account_id, platform_post_id) DO UPDATE
           SET platform_url = excluded.platform_url, caption = excluded.caption,
               media_type = excluded.media_type, media_urls = excluded.media_urls,
               thumbnail_url = excluded.thumbnail_url, like_count = excluded.like_count,
               comment_count = excluded.comment_count, last_synced_at = excluded.last_synced_at
        """,
        [
            (
                account_id,
                account.workspace_id,
                account.platform,
                post.post_ref,
                post.url or None,
                post.caption,
                post.media_type,
                list(post.media_urls),
                post.thumbnail_url or None,
                post.likes,
                post.comments,
                post.posted_at,
                now,
            )
            for post in posts
        ],
    )


async def bind(
    tx: Tx,
    *,
    post_id: UUID,
    garment_id: UUID,
    worn_with: UUID | None = None,
    user_id: UUID | None,
    keywords: Sequence[str] | None = None,
    use_global_keywords: bool = True,
    confirmed: bool = False,
) -> UUID:
    """From now on the post shows the garment: at most one per post, a new one replaces the old.
    ``worn_with``: and this one with it, a bottom to a top or a top to a bottom.

    ``confirmed``: a person looked at what we read from the garments' pictures. Without it, a
    category we are unsure of is refused (GarmentUnclear). Raises PostMissing, KeywordUnfit and
    NotWornTogether.
    """
    check_keywords(keywords or (), field="keywords")
    post, garment = await _pair(tx, post_id, garment_id)
    _check_sure(garment, confirmed, field="garment")
    if worn_with is not None:
        await _check_outfit(tx, garment, worn_with, confirmed)
    bound: UUID = await tx.fetch_value(
        """
        INSERT INTO public.social_posts_garment_bindings AS known
               (id, post_id, account_id, workspace_id, user_id, garment_url, garment_name,
                wardrobe_garment_id, trigger_keywords, use_global_keywords, garment_metadata)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::text[], '{}'), $10, $11)
        ON CONFLICT (post_id, account_id) DO UPDATE
           SET wardrobe_garment_id = excluded.wardrobe_garment_id, user_id = excluded.user_id,
               garment_name = excluded.garment_name, garment_url = excluded.garment_url,
               trigger_keywords = excluded.trigger_keywords,
               use_global_keywords = excluded.use_global_keywords,
               garment_metadata = coalesce(known.garment_metadata, '{}') - 'worn_with'
                                  || excluded.garment_metadata,
               is_active = true
        RETURNING id
        """,
        new_id(),
        post_id,
        post.account_id,
        post.workspace_id,
        user_id,
        garment.storage_path,
        garment.name,
        garment_id,
        list(keywords) if keywords else None,
        use_global_keywords,
        GarmentMetadata(worn_with=worn_with).stored(),
    )
    return bound


@dataclass(frozen=True, slots=True)
class _Post:
    account_id: UUID
    workspace_id: UUID
    post_ref: str


@dataclass(frozen=True, slots=True)
class _Garment:
    name: str
    storage_path: str
    workspace_id: UUID
    confidence: float
    covers: str
    archived: bool


async def _post(tx: Tx, post_id: UUID) -> _Post | None:
    return await tx.fetch_one_as(
        _Post,
        """
        SELECT connected_account_id AS account_id, workspace_id, platform_post_id AS post_ref
          FROM public.social_posts WHERE id = $1
        """,
        post_id,
    )


async def _garment(tx: Tx, garment_id: UUID) -> _Garment | None:
    return await tx.fetch_one_as(
        _Garment,
        """
        SELECT coalesce(name, filename) AS name, storage_path, workspace_id,
               coalesce((leffa_metadata ->> 'category_confidence')::float, 0) AS confidence,
               coalesce(leffa_metadata ->> 'leffa_category', '') AS covers,
               coalesce(metadata, '{}') ? 'archived_at' AS archived
          FROM public.wardrobe_garments WHERE id = $1
        """,
        garment_id,
    )


def _check_sure(garment: _Garment, confirmed: bool, *, field: str) -> None:
    """Raises GarmentUnclear."""
    if garment.confidence < LOW_CONFIDENCE and not confirmed:
        raise GarmentUnclear(
            _("We are not sure what “%(name)s” is.", name=garment.name),
            hint=_("Confirm its category (top, dress or bottom) in the wardrobe, then bind it."),
            field=field,
        )


async def _check_outfit(tx: Tx, garment: _Garment, worn_with: UUID, confirmed: bool) -> None:
    """Raises NotWornTogether and GarmentUnclear."""
    second = await _garment(tx, worn_with)
    if second is None or second.workspace_id != garment.workspace_id:
        gone = _("What is worn with it is not in your wardrobe.")
        raise NotWornTogether(gone, field="worn_with")
    _check_sure(second, confirmed, field="worn_with")
    check_pair(garment, second, field="worn_with")


async def _pair(tx: Tx, post_id: UUID, garment_id: UUID) -> tuple[_Post, _Garment]:
    """The post and the garment, of one workspace. Raises PostMissing."""
    post, garment = await _post(tx, post_id), await _garment(tx, garment_id)
    if post is None or garment is None or garment.workspace_id != post.workspace_id:
        raise PostMissing(_("This post or this garment is not in your workspace."))
    return post, garment


async def check_post(tx: Tx, workspace_id: UUID, post_id: UUID) -> None:
    """Raises PostMissing unless the post is this workspace's."""
    if not await tx.fetch_value(
        "SELECT true FROM public.social_posts WHERE id = $1 AND workspace_id = $2",
        post_id,
        workspace_id,
    ):
        raise PostMissing(_("There is no such post in this workspace."))


async def keywords_of(tx: Tx, workspace_id: UUID, post_id: UUID) -> Keywords:
    """The words in force under a post, and where each comes from. Raises PostMissing."""
    await check_post(tx, workspace_id, post_id)
    post = await _post(tx, post_id)
    account = await accounts.account(tx, post.account_id) if post else None
    if post is None or account is None:
        raise PostMissing(_("There is no such post in this workspace."))
    binding = await repository.binding_of_post(tx, account.id, post.post_ref)
    return keywords_in_force(account, binding)


def keywords_in_force(account: Account, binding: repository.Binding | None) -> Keywords:
    """Post > binding > account > workspace, with what each of them says."""
    return resolve(
        post=binding.post_config if binding else None,
        binding_words=binding.trigger_keywords if binding else None,
        binding_adds=binding.use_global_keywords if binding else True,
        account=account.settings,
        workspace=account.platforms,
    )


async def unbind(tx: Tx, post_id: UUID) -> bool:
    """The garment stays in the wardrobe; the figures of the binding stay too."""
    return bool(
        await tx.execute(
            "UPDATE public.social_posts_garment_bindings SET is_active = false WHERE post_id = $1",
            post_id,
        )
    )


async def _take_lease(database: Database, clock: Clock, platform: str) -> UUID | None:
    now = clock.now()
    async with database.tx(ACTOR) as tx:
        await tx.execute(
            """
            INSERT INTO public.social_account_sync_metadata (connected_account_id, next_allowed_sync)
            SELECT id, $2 FROM public.connected_social_accounts
             WHERE platform = $1 AND status = 'active'
            ON CONFLICT (connected_account_id) DO NOTHING
            """,
            platform,
            now,
        )
        taken: UUID | None = await tx.fetch_value(
            """
            UPDATE public.social_account_sync_metadata
               SET sync_in_progress = true, last_sync_started_at = $2
             WHERE connected_account_id = (
                   SELECT m.connected_account_id
                     FROM public.social_account_sync_metadata m
                     JOIN public.connected_social_accounts a ON a.id = m.connected_account_id
                    WHERE a.platform = $1 AND a.status = 'active' AND m.next_allowed_sync <= $2
                      AND (NOT coalesce(m.sync_in_progress, false)
                           OR m.last_sync_started_at < $3)
                    ORDER BY m.next_allowed_sync LIMIT 1 FOR UPDATE OF m SKIP LOCKED)
            RETURNING connected_account_id
            """,
            platform,
            now,
            now - LEASE,
        )
    return taken


async def _give_lease_back(
    tx: Tx, account_id: UUID, now: datetime, *, calls: int, copied: int, failure: str | None
) -> None:
    liveliness = await _liveliness(tx, account_id, now)
    minutes = EVERY_MINUTES[liveliness]
    await tx.execute(
        """
        UPDATE public.social_account_sync_metadata
           SET sync_in_progress = false, last_sync_completed_at = $2,
               api_calls_this_hour = $3 + CASE WHEN hour_window_start > $2::timestamptz - interval '1 hour'
                                               THEN coalesce(api_calls_this_hour, 0) ELSE 0 END,
               hour_window_start = CASE WHEN hour_window_start > $2::timestamptz - interval '1 hour'
                                        THEN hour_window_start ELSE $2 END,
               total_posts_synced = (SELECT count(*) FROM public.social_posts
                                      WHERE connected_account_id = $1),
               consecutive_errors = CASE WHEN $4::text IS NULL THEN 0
                                         ELSE coalesce(consecutive_errors, 0) + 1 END,
               last_error = $4, last_error_at = CASE WHEN $4::text IS NULL THEN last_error_at ELSE $2 END,
               next_allowed_sync = $2::timestamptz + make_interval(mins => $5) * CASE
                   WHEN $4::text IS NULL THEN 1
                   ELSE least(16, power(2, coalesce(consecutive_errors, 0)))::int END
         WHERE connected_account_id = $1
        """,
        account_id,
        now,
        calls,
        failure,
        minutes,
    )
    await tx.execute(
        """
        INSERT INTO public.account_sync_metadata
               (account_id, last_sync_at, posts_synced_count, sync_status, sync_error,
                activity_classification, sync_frequency_minutes)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (account_id) DO UPDATE
           SET last_sync_at = $2, posts_synced_count = $3, sync_status = $4, sync_error = $5,
               activity_classification = $6, sync_frequency_minutes = $7
        """,
        account_id,
        now,
        copied,
        "error" if failure else "synced",
        failure,
        liveliness,
        minutes,
    )


async def _liveliness(tx: Tx, account_id: UUID, now: datetime) -> str:
    """hot: a trigger or a post within a day; warm: within a week; cold: longer ago."""
    latest = await tx.fetch_value(
        """
        SELECT greatest(
            (SELECT max(created_at) FROM public.bot_interactions WHERE account_id = $1),
            (SELECT max(posted_at) FROM public.social_posts WHERE connected_account_id = $1))
        """,
        account_id,
    )
    if latest is None or now - latest > timedelta(days=7):
        return "cold"
    return "hot" if now - latest <= timedelta(days=1) else "warm"
