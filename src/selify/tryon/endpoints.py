"""The try-on API: how the bot behaves and what it says, posts and their garments, the funnel."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from selify.auth import access_workspace
from selify.core.permissions import allows
from selify.core.web.http import CurrentClock, CurrentUser, CurrentUserId, SystemTx, UserTx
from selify.messaging import accounts
from selify.tryon import bot_settings, posts, queries, texts
from selify.tryon import funnel as funnels
from selify.tryon import permissions as may
from selify.tryon import schemas as s

router = APIRouter(tags=["try-on"])
WORKSPACE = "/api/v1/workspaces/{workspace_id}"

LastSeen = Annotated[UUID | None, Query(description="The last one of the page before.")]
Days = Annotated[int, Query(ge=1, le=365)]


@router.put(WORKSPACE + "/accounts/{account_id}/settings", status_code=204)
@allows(may.BOT_CHANGE)
async def save_bot_settings(
    workspace_id: UUID,
    account_id: UUID,
    body: s.BotSettingsInput,
    tx: SystemTx,
    user_id: CurrentUserId,
) -> None:
    """Whether the bot works, its language when a shopper's is not clear, and its keywords."""
    await access_workspace(tx, workspace_id, may.BOT_CHANGE, user_id=user_id)
    account = await accounts.access_account(tx, workspace_id, account_id)
    await bot_settings.save_settings(
        tx,
        account.id,
        tryon_enabled=body.tryon_enabled,
        language=body.language,
        keywords=body.keywords,
        field="body.keywords",
    )


@router.get(WORKSPACE + "/accounts/{account_id}/texts")
@allows(may.TEXTS_READ)
async def list_bot_texts(
    workspace_id: UUID, account_id: UUID, tx: UserTx, language: str = texts.FALLBACK
) -> list[s.BotTextOutput]:
    """Everything the bot says in a language, and the brand's own words in place of ours."""
    await access_workspace(tx, workspace_id, may.TEXTS_READ)
    account = await accounts.access_account(tx, workspace_id, account_id)
    own = bot_settings.own_texts(account.settings, language)
    return [
        s.BotTextOutput(
            key=key,
            ours=ours,
            own=own.get(key, ""),
            faults=[fault.where for fault in texts.faults(key, language, own.get(key, ""))],
        )
        for key, ours in texts.catalogue(language).items()
        if key != "language"
    ]


@router.put(WORKSPACE + "/accounts/{account_id}/texts/{key}", status_code=204)
@allows(may.TEXTS_CHANGE)
async def save_bot_text(
    workspace_id: UUID,
    account_id: UUID,
    key: s.TextKey,
    body: s.BotTextInput,
    tx: SystemTx,
    user_id: CurrentUserId,
) -> None:
    """One text in the brand's own words, or ours again. What is wrong is told with its place."""
    await access_workspace(tx, workspace_id, may.TEXTS_CHANGE, user_id=user_id)
    account = await accounts.access_account(tx, workspace_id, account_id)
    await bot_settings.save_text(
        tx, account, body.language, key, body.text, brand="", field="body.text"
    )


@router.get(WORKSPACE + "/posts")
@allows(may.POSTS_READ)
async def list_posts(workspace_id: UUID, tx: UserTx, after: LastSeen = None) -> list[s.PostOutput]:
    """Posts, newest first, and what each shows; 60 at a time."""
    await access_workspace(tx, workspace_id, may.POSTS_READ)
    cursor = await queries.cursor_of_post(tx, workspace_id, after) if after else None
    found = await queries.list_posts(tx, workspace_id, after=cursor)
    return [s.PostOutput.model_validate(post, from_attributes=True) for post in found]


@router.put(WORKSPACE + "/posts/{post_id}/garment")
@allows(may.POSTS_BIND)
async def bind_garment(
    workspace_id: UUID,
    post_id: UUID,
    body: s.BindInput,
    tx: SystemTx,
    user: CurrentUser,
    user_id: CurrentUserId,
) -> s.BindingOutput:
    """Let shoppers try this garment on under this post, by itself or with another one."""
    await access_workspace(tx, workspace_id, may.POSTS_BIND, user_id=user_id)
    await posts.check_post(tx, workspace_id, post_id)
    binding = await posts.bind(
        tx,
        post_id=post_id,
        garment_id=body.garment_id,
        worn_with=body.worn_with_id,
        user_id=user.person_id,
        keywords=body.keywords,
        use_global_keywords=body.use_global_keywords,
        confirmed=body.confirmed,
    )
    return s.BindingOutput(binding_id=binding)


@router.delete(WORKSPACE + "/posts/{post_id}/garment", status_code=204)
@allows(may.POSTS_BIND)
async def unbind_garment(
    workspace_id: UUID, post_id: UUID, tx: SystemTx, user_id: CurrentUserId
) -> None:
    """No more try-ons under this post. The garment stays in the wardrobe."""
    await access_workspace(tx, workspace_id, may.POSTS_BIND, user_id=user_id)
    await posts.check_post(tx, workspace_id, post_id)
    await posts.unbind(tx, post_id)


@router.get(WORKSPACE + "/posts/{post_id}/keywords")
@allows(may.POSTS_READ)
async def explain_keywords(
    workspace_id: UUID, post_id: UUID, tx: SystemTx, user_id: CurrentUserId
) -> s.KeywordsOutput:
    """Which words start a try-on under this post, and which setting says so."""
    await access_workspace(tx, workspace_id, may.POSTS_READ, user_id=user_id)
    found = await posts.keywords_of(tx, workspace_id, post_id)
    return s.KeywordsOutput(rule=found.rule, words=dict(found.words), explanation=found.explain())


@router.get(WORKSPACE + "/funnel")
@allows(may.FUNNEL_READ)
async def funnel(
    workspace_id: UUID, tx: SystemTx, user_id: CurrentUserId, clock: CurrentClock, days: Days = 7
) -> s.FunnelOutput:
    """How many got how far in the last days."""
    await access_workspace(tx, workspace_id, may.FUNNEL_READ, user_id=user_id)
    now = clock.now()
    counts = await funnels.funnel(tx, workspace_id, since=now - timedelta(days=days), now=now)
    return s.FunnelOutput(**counts)


@router.get(WORKSPACE + "/interactions")
@allows(may.FUNNEL_READ)
async def list_interactions(
    workspace_id: UUID, tx: UserTx, after: LastSeen = None
) -> list[s.InteractionOutput]:
    """Every trigger and how far it got, newest first, 50 at a time."""
    await access_workspace(tx, workspace_id, may.FUNNEL_READ)
    cursor = await queries.cursor_of_interaction(tx, workspace_id, after) if after else None
    found = await queries.list_interactions(tx, workspace_id, after=cursor)
    return [s.InteractionOutput.model_validate(one, from_attributes=True) for one in found]
