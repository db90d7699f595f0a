"""The social API: connecting accounts, posts and their garments, conversations, the funnel."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from selify.auth import CurrentSession, WorkspaceRole, access_workspace
from selify.core.errors import Invalid, NotFound
from selify.core.language import _
from selify.core.web.http import (
    CurrentClock,
    CurrentUser,
    CurrentUserId,
    OpenDatabase,
    SystemTx,
    UserTx,
)
from selify.core.web.links import FileLinks
from selify.messaging import (
    accounts,
    conversations,
    diagnosis,
    event_kinds,
    queries,
    repository,
    subscriptions,
)
from selify.messaging import schemas as s
from selify.messaging.connecting import Attempt, Connector
from selify.messaging.ports import AccountGateway
from selify.messaging.queries import ConversationFilter, Mark
from selify.messaging.send_now import send_now
from selify.tryon import bot_settings, posts, texts
from selify.tryon import funnel as funnels
from selify.tryon.dialogue import Handler

router = APIRouter(tags=["social"])
WORKSPACE = "/api/v1/workspaces/{workspace_id}"
PICTURE_LIFE = timedelta(hours=1)

LastSeen = Annotated[UUID | None, Query(description="The last one of the page before.")]
Cursor = Annotated[
    str | None, Query(max_length=100, description="`cursor` of the last one of the page before.")
]
Days = Annotated[int, Query(ge=1, le=365)]


def gateway_of(request: Request, platform: str) -> AccountGateway:
    gateways: dict[str, AccountGateway] = request.app.state.gateways
    if platform not in gateways:
        raise NotFound(_("“%(platform)s” is no platform one can connect here.", platform=platform))
    return gateways[platform]


@router.get("/connect/{platform}", response_class=RedirectResponse, include_in_schema=False)
async def begin_connecting(
    request: Request, platform: str, workspace_id: UUID, tx: UserTx, session: CurrentSession
) -> RedirectResponse:
    """On to the platform's consent page. Admins and owners only."""
    gateway = gateway_of(request, platform)
    await access_workspace(tx, workspace_id, role=WorkspaceRole.ADMIN)
    connector: Connector = request.app.state.connector
    attempt = Attempt(workspace_id, session.user.id, session.id, platform)
    url = await connector.begin(gateway, attempt)
    return RedirectResponse(url, status_code=303)


@router.get(
    "/connect/{platform}/callback", response_class=RedirectResponse, include_in_schema=False
)
async def finish_connecting(
    request: Request,
    platform: str,
    user: CurrentUser,
    session: CurrentSession,
    database: OpenDatabase,
) -> RedirectResponse:
    """Back from the platform, and on to the accounts of the workspace it was connected to.

    The address has an end of its own, or browsers would keep the platform's.
    """
    gateway = gateway_of(request, platform)
    connector: Connector = request.app.state.connector
    connected = await connector.finish(gateway, dict(request.query_params), session=session)
    async with database.tx(user) as tx:
        account = await repository.account(tx, connected.account_id)
        received = await subscriptions.received(tx, connected.account_id)
    of_workspace = f"workspace={account.workspace_id}&" if account else ""
    done = "connected_partly" if event_kinds.missing(received) else "connected"
    return RedirectResponse(f"/accounts?{of_workspace}done={done}#main", status_code=303)


@router.get(WORKSPACE + "/accounts")
async def list_accounts(
    workspace_id: UUID, tx: SystemTx, user_id: CurrentUserId, clock: CurrentClock
) -> list[s.AccountOutput]:
    """Connected accounts, how they are doing, and what waits to be sent."""
    await access_workspace(tx, workspace_id, user_id=user_id)
    found = await diagnosis.of_workspace(tx, workspace_id, clock.now())
    return [s.AccountOutput.of(one) for one in found]


@router.post(WORKSPACE + "/accounts/{account_id}/send-now")
async def send_waiting_now(
    workspace_id: UUID, account_id: UUID, tx: SystemTx, user_id: CurrentUserId, clock: CurrentClock
) -> s.SentNowOutput:
    """Try at once what waits, where that makes sense. No rule is set aside by it."""
    await access_workspace(tx, workspace_id, user_id=user_id)
    await accounts.access_account(tx, workspace_id, account_id)
    return s.SentNowOutput(tried=await send_now(tx, account_id, clock.now()))


@router.post(WORKSPACE + "/accounts/{account_id}/disconnect", status_code=204)
async def disconnect(
    request: Request,
    workspace_id: UUID,
    account_id: UUID,
    user: CurrentUser,
    user_id: CurrentUserId,
    database: OpenDatabase,
) -> None:
    """Stop receiving and sending for this account. Its history is kept for 90 days."""
    async with database.tx(user) as tx:
        await access_workspace(tx, workspace_id, role=WorkspaceRole.ADMIN)
        account = await accounts.access_account(tx, workspace_id, account_id)
    connector: Connector = request.app.state.connector
    await connector.disconnect(gateway_of(request, account.platform), account, user_id=user_id)


@router.put(WORKSPACE + "/accounts/{account_id}/settings", status_code=204)
async def save_bot_settings(
    workspace_id: UUID,
    account_id: UUID,
    body: s.BotSettingsInput,
    tx: SystemTx,
    user_id: CurrentUserId,
) -> None:
    """Whether the bot works, its language when a shopper's is not clear, and its keywords."""
    await access_workspace(tx, workspace_id, role=WorkspaceRole.ADMIN, user_id=user_id)
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
async def list_bot_texts(
    workspace_id: UUID, account_id: UUID, tx: UserTx, language: str = texts.FALLBACK
) -> list[s.BotTextOutput]:
    """Everything the bot says in a language, and the brand's own words in place of ours."""
    await access_workspace(tx, workspace_id)
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
async def save_bot_text(
    workspace_id: UUID,
    account_id: UUID,
    key: s.TextKey,
    body: s.BotTextInput,
    tx: SystemTx,
    user_id: CurrentUserId,
) -> None:
    """One text in the brand's own words, or ours again. What is wrong is told with its place."""
    await access_workspace(tx, workspace_id, role=WorkspaceRole.ADMIN, user_id=user_id)
    account = await accounts.access_account(tx, workspace_id, account_id)
    await bot_settings.save_text(
        tx, account, body.language, key, body.text, brand="", field="body.text"
    )


@router.get(WORKSPACE + "/posts")
async def list_posts(workspace_id: UUID, tx: UserTx, after: LastSeen = None) -> list[s.PostOutput]:
    """Posts, newest first, and the garment each shows; 60 at a time."""
    await access_workspace(tx, workspace_id)
    mark = await queries.mark_of_post(tx, workspace_id, after) if after else None
    rows = await queries.list_posts(tx, workspace_id, after=mark)
    return [s.PostOutput(**dict(row)) for row in rows]


@router.put(WORKSPACE + "/posts/{post_id}/garment")
async def bind_garment(
    workspace_id: UUID, post_id: UUID, body: s.BindInput, tx: SystemTx, user_id: CurrentUserId
) -> s.BindingOutput:
    """Let shoppers try this garment on under this post."""
    await access_workspace(tx, workspace_id, user_id=user_id)
    await posts.check_post(tx, workspace_id, post_id)
    binding = await posts.bind(
        tx,
        post_id=post_id,
        garment_id=body.garment_id,
        user_id=user_id,
        keywords=body.keywords,
        use_global_keywords=body.use_global_keywords,
        confirmed=body.confirmed,
    )
    return s.BindingOutput(binding_id=binding)


@router.delete(WORKSPACE + "/posts/{post_id}/garment", status_code=204)
async def unbind_garment(
    workspace_id: UUID, post_id: UUID, tx: SystemTx, user_id: CurrentUserId
) -> None:
    """No more try-ons under this post. The garment stays in the wardrobe."""
    await access_workspace(tx, workspace_id, user_id=user_id)
    await posts.check_post(tx, workspace_id, post_id)
    await posts.unbind(tx, post_id)


@router.get(WORKSPACE + "/posts/{post_id}/keywords")
async def explain_keywords(
    workspace_id: UUID, post_id: UUID, tx: SystemTx, user_id: CurrentUserId
) -> s.KeywordsOutput:
    """Which words start a try-on under this post, and which setting says so."""
    await access_workspace(tx, workspace_id, user_id=user_id)
    found = await posts.keywords_of(tx, workspace_id, post_id)
    return s.KeywordsOutput(rule=found.rule, words=dict(found.words), explanation=found.explain())


@router.get(WORKSPACE + "/conversations")
async def list_conversations(
    workspace_id: UUID,
    tx: SystemTx,
    user_id: CurrentUserId,
    wanted: ConversationFilter = ConversationFilter.ALL,
    after: Cursor = None,
) -> list[s.ConversationOutput]:
    """Conversations, latest first, 50 at a time. ``human``: where a person answers, or should."""
    await access_workspace(tx, workspace_id, user_id=user_id)
    mark = Mark.parse(after) if after else None
    if after and mark is None:
        hint = _("Leave it out to begin at the start.")
        raise Invalid(_("This list made no such cursor."), hint=hint, field="query.after")
    if wanted is ConversationFilter.ALL:
        rows = await queries.list_conversations(tx, workspace_id, after=mark)
    else:
        rows = await queries.list_waiting(tx, workspace_id, wanted, after=mark)
    return [
        s.ConversationOutput(cursor=str(Mark(row["last_message_at"], row["id"])), **row)
        for row in rows
    ]


@router.get(WORKSPACE + "/conversations/{conversation_id}/messages")
async def list_messages(
    request: Request,
    workspace_id: UUID,
    conversation_id: UUID,
    tx: UserTx,
    clock: CurrentClock,
    before: Annotated[UUID | None, Query(description="The first one of the page after.")] = None,
) -> list[s.MessageOutput]:
    """The conversation's latest 200 messages, or those before one, in the order they were written."""
    await queries.access_conversation(tx, workspace_id, conversation_id)
    links: FileLinks = request.app.state.links
    answers = []
    mark = await queries.mark_of_message(tx, conversation_id, before) if before else None
    for row in await queries.list_messages(tx, conversation_id, before=mark):
        key = queries.picture_key(row["attachments"])
        answers.append(
            s.MessageOutput(
                id=row["id"],
                from_shopper=row["from_shopper"],
                text=row["text"],
                kind=row["kind"],
                picture=links.make(key, now=clock.now(), lasts=PICTURE_LIFE) if key else None,
                reactions=[reaction["emoji"] for reaction in row["reactions"] or ()],
                at=row["at"],
            )
        )
    return answers


@router.post(WORKSPACE + "/conversations/{conversation_id}/hand-back", status_code=204)
async def hand_back(
    workspace_id: UUID,
    conversation_id: UUID,
    tx: SystemTx,
    user_id: CurrentUserId,
    clock: CurrentClock,
) -> None:
    """Let the bot answer here again."""
    await access_workspace(tx, workspace_id, user_id=user_id)
    await queries.access_conversation(tx, workspace_id, conversation_id)
    await conversations.set_handler(tx, conversation_id, Handler.BOT, now=clock.now())


@router.post(WORKSPACE + "/conversations/{conversation_id}/take-over", status_code=204)
async def take_over(
    workspace_id: UUID,
    conversation_id: UUID,
    tx: SystemTx,
    user_id: CurrentUserId,
    clock: CurrentClock,
) -> None:
    """Silence the bot here; a person answers."""
    await access_workspace(tx, workspace_id, user_id=user_id)
    await queries.access_conversation(tx, workspace_id, conversation_id)
    await conversations.set_handler(tx, conversation_id, Handler.HUMAN, now=clock.now())


@router.get(WORKSPACE + "/funnel")
async def funnel(
    workspace_id: UUID, tx: SystemTx, user_id: CurrentUserId, clock: CurrentClock, days: Days = 7
) -> s.FunnelOutput:
    """How many got how far in the last days."""
    await access_workspace(tx, workspace_id, user_id=user_id)
    now = clock.now()
    counts = await funnels.funnel(tx, workspace_id, since=now - timedelta(days=days), now=now)
    return s.FunnelOutput(**counts)


@router.get(WORKSPACE + "/interactions")
async def list_interactions(
    workspace_id: UUID, tx: UserTx, after: LastSeen = None
) -> list[s.InteractionOutput]:
    """Every trigger and how far it got, newest first, 50 at a time."""
    await access_workspace(tx, workspace_id)
    mark = await queries.mark_of_interaction(tx, workspace_id, after) if after else None
    rows = await queries.list_interactions(tx, workspace_id, after=mark)
    return [s.InteractionOutput(**dict(row)) for row in rows]
