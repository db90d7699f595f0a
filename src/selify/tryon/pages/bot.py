"""How an account's bot behaves and what it says: on the accounts' page, and on a page of its own."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import Response

from selify.core.permissions import allows
from selify.core.text import OneLine, Verbatim
from selify.dash import parts
from selify.dash.context import OpenPage, PageContext
from selify.dash.forms import keyword_list
from selify.dash.pages import Inset, Part
from selify.dash.rendering import by_script, fragment, page, went_well
from selify.messaging import accounts, repository
from selify.messaging.pages import health
from selify.messaging.pages.accounts import View, find_doctor, view_of
from selify.messaging.pages.health import Doctor
from selify.messaging.permissions import ACCOUNTS_READ
from selify.messaging.types import Account
from selify.tryon import bot_settings, texts
from selify.tryon.bot_settings import SwitchedOff, switched_off
from selify.tryon.keywords import DEFAULT_KEYWORDS
from selify.tryon.pages import bot_texts, words
from selify.tryon.pages.bot_texts import BotText
from selify.tryon.permissions import BOT_CHANGE, TEXTS_CHANGE, TEXTS_READ

router = APIRouter(prefix="/accounts")

Key = Annotated[OneLine, Form(max_length=60)]
Language = Annotated[OneLine, Form(max_length=10)]
Template = Annotated[Verbatim, Form(max_length=2000)]


# --- On other pages -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SilentBot:
    """Shoppers are only told that they cannot try anything on."""

    account: Doctor
    where: SwitchedOff


async def show_silent_bots(ctx: PageContext, _: object) -> dict[str, Any]:
    """Said on every page."""
    doctors = await ctx.once(health.examine)
    return {
        "silent": [SilentBot(one, off) for one in doctors if one.live and (off := _off_for(one))]
    }


async def show_note(_: PageContext, doctor: Doctor) -> dict[str, Any]:
    return {"is_off": doctor.live and _off_for(doctor) is not None}


def _off_for(doctor: Doctor) -> SwitchedOff | None:
    account = doctor.found.account
    return switched_off(account.settings, account.workspace_settings)


async def show_bot(_: PageContext, account: Account) -> dict[str, Any]:
    """What can be set for an account."""
    return {
        **_switch_of(account),
        "speaks": bot_settings.language_of(account),
        "languages": texts.languages(),
        "default_keywords": DEFAULT_KEYWORDS,
    }


async def show_switch(ctx: PageContext, view: View) -> dict[str, Any]:
    """Whether an account's bot works, and whether it may. Raises AccountMissing."""
    doctor = await find_doctor(ctx, view.account)
    async with ctx.reading() as tx:
        account = await repository.account(tx, doctor.id)
    return _switch_of(account)


def _switch_of(account: Account | None) -> dict[str, Any]:
    off = switched_off(account.settings, account.workspace_settings) if account else None
    return {"known": account, "off": off}


SWITCH = Part(
    name="bot-switch",
    template="tryon/fragments/bot-switch.html",
    draw=show_switch,
    permissions=(ACCOUNTS_READ,),
    tables=("connected_social_accounts", "workspaces"),
    view=view_of,
)
INSETS = (
    Inset(
        place="banner",
        order=20,
        template="tryon/fragments/silent-bots.html",
        draw=show_silent_bots,
        permission=ACCOUNTS_READ,
        tables=("connected_social_accounts", "workspaces"),
    ),
    Inset(place="doctor", order=10, template="tryon/fragments/bot-note.html", draw=show_note),
    Inset(place="account", order=10, template="tryon/fragments/bot.html", draw=show_bot),
)


# --- What is done ---------------------------------------------------------------------------------


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
    return await parts.draw(ctx, parts.BANNER, toast=words.DONE["bot_switched_on"])


@router.get("/{account_id}/texts")
@allows(TEXTS_READ)
async def show_texts(ctx: OpenPage, account_id: UUID, language: str = "") -> Response:
    """Everything the bot says, to be read and rewritten."""
    async with ctx.reading() as tx:
        account = await accounts.access_account(tx, ctx.workspace.id, account_id)
    spoken = language if language in texts.languages() else bot_settings.language_of(account)
    return await page(
        ctx,
        "tryon/texts.html",
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
    return fragment(ctx, "tryon/fragments/preview.html", text=text)


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
        "tryon/fragments/text.html",
        toast=words.DONE[done],
        account=account,
        language=language,
        text=text,
        open=True,
    )


def _text(ctx: PageContext, account: Account, language: str, key: str, own: str) -> BotText:
    return bot_texts.text(account, language, key, own=own, brand=ctx.workspace.name)
