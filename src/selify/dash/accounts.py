"""Connected accounts: how they are, and how their bot behaves."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import Response

from selify.core.language import _
from selify.core.permissions import allows
from selify.core.text import OneLine, Verbatim
from selify.dash import bot_texts, health, words
from selify.dash.bot_texts import BotText
from selify.dash.context import OpenPage, PageContext
from selify.dash.forms import keyword_list
from selify.dash.rendering import by_script, fragment, page, went_well
from selify.dash.view import View
from selify.messaging import accounts, repository
from selify.messaging.connecting import Connector
from selify.messaging.permissions import ACCOUNTS_DISCONNECT, ACCOUNTS_READ, MESSAGES_RETRY
from selify.messaging.send_now import send_now
from selify.messaging.tokens import AccountMissing
from selify.messaging.types import Account
from selify.tryon import bot_settings, texts
from selify.tryon.bot_settings import SwitchedOff, switched_off
from selify.tryon.keywords import DEFAULT_KEYWORDS
from selify.tryon.permissions import BOT_CHANGE, TEXTS_CHANGE, TEXTS_READ

router = APIRouter(prefix="/accounts", include_in_schema=False)

Key = Annotated[OneLine, Form(max_length=60)]
Language = Annotated[OneLine, Form(max_length=10)]
Template = Annotated[Verbatim, Form(max_length=2000)]


@router.get("")
@allows(ACCOUNTS_READ)
async def show(ctx: OpenPage) -> Response:
    doctors = await ctx.once(health.examine)
    async with ctx.reading() as tx:
        found = {doctor.id: await repository.account(tx, doctor.id) for doctor in doctors}
    return await page(
        ctx,
        "accounts.html",
        accounts=doctors,
        settings=found,
        speaks={key: bot_settings.language_of(known) for key, known in found.items() if known},
        languages=texts.languages(),
        default_keywords=DEFAULT_KEYWORDS,
    )


@router.post("/{account_id}/settings")
@allows(BOT_CHANGE)
async def save_settings(
    ctx: OpenPage,
    account_id: UUID,
    language: Language,
    tryon_enabled: Annotated[bool, Form()] = False,
    trigger_keywords: Annotated[OneLine, Form(max_length=1000)] = "",
) -> Response:
    """Whether the bot works, in which language, and which words start a try-on."""
    async with ctx.acting() as tx:
        account = await accounts.access_account(tx, ctx.workspace.id, account_id)
        await bot_settings.save_settings(
            tx,
            account.id,
            tryon_enabled=tryon_enabled,
            language=language,
            keywords=keyword_list(trigger_keywords, field="trigger_keywords"),
            field="trigger_keywords",
        )
    elsewhere = switched_off(account.settings, account.workspace_settings)
    off = elsewhere is SwitchedOff.WORKSPACE
    done = "settings_saved_while_off" if off else "settings_saved"
    if not by_script(ctx.request):
        return went_well(ctx, "/accounts", done)
    return fragment(ctx, "toast.html", text=words.DONE[done], oob=True)


@router.post("/{account_id}/switch-on")
@allows(BOT_CHANGE)
async def switch_on(ctx: OpenPage, account_id: UUID) -> Response:
    """Shoppers can try things on again, wherever it was switched off."""
    async with ctx.acting() as tx:
        account = await accounts.access_account(tx, ctx.workspace.id, account_id)
        await bot_settings.switch_on(tx, account)
    if not by_script(ctx.request):
        return went_well(ctx, "/accounts", "bot_switched_on")
    shown = await health.show_banner(ctx, View())
    done = words.DONE["bot_switched_on"]
    return fragment(ctx, "fragments/banner.html", toast=done, **shown)


@router.post("/{account_id}/send-now")
@allows(MESSAGES_RETRY)
async def send_waiting_now(ctx: OpenPage, account_id: UUID) -> Response:
    """What waits is tried at once; what it waits for is asked again."""
    async with ctx.acting() as tx:
        await accounts.access_account(tx, ctx.workspace.id, account_id)
        await send_now(tx, account_id, ctx.now)
    if not by_script(ctx.request):
        return went_well(ctx, "/accounts", "sent_now")
    return fragment(ctx, "toast.html", text=words.DONE["sent_now"], oob=True)


@router.get("/{account_id}/texts")
@allows(TEXTS_READ)
async def show_texts(ctx: OpenPage, account_id: UUID, language: str = "") -> Response:
    """Everything the bot says, to be read and rewritten."""
    async with ctx.reading() as tx:
        account = await accounts.access_account(tx, ctx.workspace.id, account_id)
    spoken = language if language in texts.languages() else bot_settings.language_of(account)
    return await page(
        ctx,
        "texts.html",
        account=account,
        language=spoken,
        languages=texts.languages(),
        groups=bot_texts.groups(account, spoken, brand=ctx.workspace.name),
    )


@router.post("/{account_id}/texts/preview")
@allows(TEXTS_READ)
async def preview_text(
    ctx: OpenPage, account_id: UUID, language: Language, key: Key, template: Template = ""
) -> Response:
    """How a text would read, and whether it fits."""
    async with ctx.reading() as tx:
        account = await accounts.access_account(tx, ctx.workspace.id, account_id)
    text = _text(ctx, account, language, key, template)
    return fragment(ctx, "fragments/preview.html", text=text)


@router.post("/{account_id}/texts")
@allows(TEXTS_CHANGE)
async def save_text(
    ctx: OpenPage,
    account_id: UUID,
    language: Language,
    key: Key,
    template: Template = "",
    reset: Annotated[bool, Form()] = False,
) -> Response:
    """In the brand's own words; empty or ``reset`` for ours again."""
    async with ctx.acting() as tx:
        account = await accounts.access_account(tx, ctx.workspace.id, account_id)
        own = await bot_settings.save_text(
            tx,
            account,
            language,
            key,
            "" if reset else template,
            brand=ctx.workspace.name,
            field="template",
        )
        text = _text(ctx, account, language, key, own)
    done = "text_saved" if own else "text_reset"
    if not by_script(ctx.request):
        return went_well(ctx, f"/accounts/{account_id}/texts", done, language=language)
    return fragment(
        ctx,
        "fragments/text.html",
        toast=words.DONE[done],
        account=account,
        language=language,
        text=text,
        open=True,
    )


@router.post("/{account_id}/disconnect")
@allows(ACCOUNTS_DISCONNECT)
async def disconnect(ctx: OpenPage, account_id: UUID) -> Response:
    """Nothing more comes in or goes out. The history is kept for 90 days."""
    async with ctx.acting() as tx:
        account = await accounts.access_account(tx, ctx.workspace.id, account_id)
    state = ctx.request.app.state
    connector: Connector = state.connector
    gateway = state.gateways[account.platform]
    await connector.disconnect(gateway, account, user_id=ctx.session.user.id)
    return went_well(ctx, "/accounts", "disconnected")


async def show_doctor(ctx: PageContext, view: View) -> dict[str, Any]:
    """How one account is. Raises AccountMissing."""
    found = next((one for one in await ctx.once(health.examine) if one.id == view.account), None)
    if found is None:
        raise AccountMissing(_("There is no such account in this workspace."))
    return {"account": found}


async def show_switch(ctx: PageContext, view: View) -> dict[str, Any]:
    """Whether an account's bot works, and whether it may. Raises AccountMissing."""
    account_id = (await show_doctor(ctx, view))["account"].id
    async with ctx.reading() as tx:
        known = await repository.account(tx, account_id)
    off = switched_off(known.settings, known.workspace_settings) if known else None
    return {"known": known, "off": off}


PARTS = {"doctor": show_doctor, "bot-switch": show_switch}


def _text(ctx: PageContext, account: Account, language: str, key: str, own: str) -> BotText:
    return bot_texts.text(account, language, key, own=own, brand=ctx.workspace.name)
