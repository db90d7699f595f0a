"""The messaging API: connecting accounts, their health, conversations."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from selify.auth import CurrentSession, access_workspace
from selify.core.cursor import Cursor
from selify.core.errors import Invalid, NotFound
from selify.core.language import _
from selify.core.permissions import allows
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
from selify.messaging import permissions as may
from selify.messaging import schemas as s
from selify.messaging.clients import Clients
from selify.messaging.connecting import Attempt, Connector
from selify.messaging.ports import AccountGateway
from selify.messaging.queries import ConversationFilter
from selify.messaging.send_now import send_now
from selify.messaging.types import Handler

router = APIRouter(tags=["messaging"])
WORKSPACE = "/api/v1/workspaces/{workspace_id}"
PICTURE_LIFE = timedelta(hours=1)

CursorText = Annotated[
    str | None, Query(max_length=100, description="`cursor` of the last one of the page before.")
]


def gateway_of(request: Request, platform: str) -> AccountGateway:
    gateways: dict[str, AccountGateway] = request.app.state.gateways
    if platform not in gateways:
        raise NotFound(_("“%(platform)s” is no platform one can connect here.", platform=platform))
    return gateways[platform]


@router.get("/connect/{platform}", response_class=RedirectResponse, include_in_schema=False)
@allows(may.ACCOUNTS_CONNECT)
async def begin_connecting(
    request: Request, platform: str, workspace_id: UUID, tx: UserTx, session: CurrentSession
) -> RedirectResponse:
    """On to the platform's consent page. Admins and owners only."""
    gateway = gateway_of(request, platform)
    await access_workspace(tx, workspace_id, may.ACCOUNTS_CONNECT)
    connector: Connector = request.app.state.connector
    attempt = Attempt(workspace_id, session.user.id, session.id, platform)
    url = await connector.begin(gateway, attempt)
    return RedirectResponse(url, status_code=303)


@router.get(
    "/connect/{platform}/callback", response_class=RedirectResponse, include_in_schema=False
)
@allows(may.ACCOUNTS_CONNECT)
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
@allows(may.ACCOUNTS_READ)
async def list_accounts(
    request: Request,
    workspace_id: UUID,
    tx: SystemTx,
    user_id: CurrentUserId,
    clock: CurrentClock,
) -> list[s.AccountOutput]:
    """Connected accounts, how they are doing, and what waits to be sent."""
    await access_workspace(tx, workspace_id, may.ACCOUNTS_READ, user_id=user_id)
    found = await diagnosis.of_workspace(tx, workspace_id, clock.now())
    clients: Clients = request.app.state.clients
    return [s.AccountOutput.of(one, bot_is_on=clients.bot_is_on(one)) for one in found]


@router.post(WORKSPACE + "/accounts/{account_id}/send-now")
@allows(may.MESSAGES_RETRY)
async def send_waiting_now(
    workspace_id: UUID, account_id: UUID, tx: SystemTx, user_id: CurrentUserId, clock: CurrentClock
) -> s.SentNowOutput:
    """Try at once what waits, where that makes sense. No rule is set aside by it."""
    await access_workspace(tx, workspace_id, may.MESSAGES_RETRY, user_id=user_id)
    await accounts.access_account(tx, workspace_id, account_id)
    return s.SentNowOutput(tried=await send_now(tx, account_id, clock.now()))


@router.post(WORKSPACE + "/accounts/{account_id}/disconnect", status_code=204)
@allows(may.ACCOUNTS_DISCONNECT)
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
        await access_workspace(tx, workspace_id, may.ACCOUNTS_DISCONNECT)
        account = await accounts.access_account(tx, workspace_id, account_id)
    connector: Connector = request.app.state.connector
    await connector.disconnect(gateway_of(request, account.platform), account, user_id=user_id)


@router.get(WORKSPACE + "/conversations")
@allows(may.CONVERSATIONS_READ)
async def list_conversations(
    workspace_id: UUID,
    tx: SystemTx,
    user_id: CurrentUserId,
    wanted: ConversationFilter = ConversationFilter.ALL,
    after: CursorText = None,
) -> list[s.ConversationOutput]:
    """Conversations, latest first, 50 at a time. ``human``: where a person answers, or should."""
    await access_workspace(tx, workspace_id, may.CONVERSATIONS_READ, user_id=user_id)
    cursor = Cursor.parse(after) if after else None
    if after and cursor is None:
        hint = _("Leave it out to begin at the start.")
        raise Invalid(_("This list made no such cursor."), hint=hint, field="query.after")
    if wanted is ConversationFilter.ALL:
        found = await queries.list_conversations(tx, workspace_id, after=cursor)
    else:
        found = await queries.list_waiting(tx, workspace_id, wanted, after=cursor)
    return [s.ConversationOutput.of(one) for one in found]


@router.get(WORKSPACE + "/conversations/{conversation_id}/messages")
@allows(may.CONVERSATIONS_READ)
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
    cursor = await queries.cursor_of_message(tx, conversation_id, before) if before else None
    for message in await queries.list_messages(tx, conversation_id, before=cursor):
        key = message.picture_key
        link = links.make(key, now=clock.now(), lasts=PICTURE_LIFE) if key else None
        answers.append(s.MessageOutput.of(message, picture=link))
    return answers


@router.post(WORKSPACE + "/conversations/{conversation_id}/hand-back", status_code=204)
@allows(may.CONVERSATIONS_ANSWER)
async def hand_back(
    workspace_id: UUID,
    conversation_id: UUID,
    tx: SystemTx,
    user_id: CurrentUserId,
    clock: CurrentClock,
) -> None:
    """Let the bot answer here again."""
    await access_workspace(tx, workspace_id, may.CONVERSATIONS_ANSWER, user_id=user_id)
    await queries.access_conversation(tx, workspace_id, conversation_id)
    await conversations.set_handler(tx, conversation_id, Handler.BOT, now=clock.now())


@router.post(WORKSPACE + "/conversations/{conversation_id}/take-over", status_code=204)
@allows(may.CONVERSATIONS_ANSWER)
async def take_over(
    workspace_id: UUID,
    conversation_id: UUID,
    tx: SystemTx,
    user_id: CurrentUserId,
    clock: CurrentClock,
) -> None:
    """Silence the bot here; a person answers."""
    await access_workspace(tx, workspace_id, may.CONVERSATIONS_ANSWER, user_id=user_id)
    await queries.access_conversation(tx, workspace_id, conversation_id)
    await conversations.set_handler(tx, conversation_id, Handler.HUMAN, now=clock.now())
