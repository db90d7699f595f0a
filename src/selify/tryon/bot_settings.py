"""How a brand's bot behaves and what it says in the brand's own words: checked, then kept.

Whoever saves (a page, the API) saves through here, so that no text that breaks a rule is ever kept.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from selify.auth import change_platform_settings
from selify.core.database import Tx
from selify.core.errors import Invalid, NotFound
from selify.core.language import _, sentences
from selify.messaging import accounts
from selify.messaging.types import Account
from selify.tryon import texts
from selify.tryon.keyword_rules import check_keywords

LONGEST_BYTES = 1000
"""The platform's own limit for one message."""
LONGEST_BUTTON = 20
"""Characters of a quick reply's title, by the platform's rules."""
SAMPLE: Mapping[str, str] = {
    "garment": "Forest tee",
    "product": "€39.00 · In stock · https://shop.example/forest-tee",
    "count": "3",
    "why": "",
}


class SwitchedOff(StrEnum):
    """Where try-on is switched off: for one account, or in the workspace for all of a platform's."""

    ACCOUNT = "account"
    WORKSPACE = "workspace"


def switched_off(
    account: Mapping[str, Any] | None, workspace: Mapping[str, Any] | None
) -> SwitchedOff | None:
    """The account's settings, and the workspace's for its platform. What nobody set is on."""
    wider = workspace or {}
    if False in (wider.get("enabled", True), wider.get("tryon_enabled", True)):
        return SwitchedOff.WORKSPACE
    return None if (account or {}).get("tryon_enabled", True) else SwitchedOff.ACCOUNT


def is_on(account: Account) -> bool:
    return switched_off(account.settings, account.workspace_settings) is None


def language_of(account: Account) -> str:
    """In which the bot speaks where a shopper's is not clear."""
    return str(account.settings.get("language") or texts.FALLBACK)


class TextTooLong(Invalid):
    code = "text_too_long"
    title = _("This text is too long")


class TextUnfit(Invalid):
    code = "text_unfit"
    title = _("This text cannot be said like this")


async def save_settings(
    tx: Tx,
    account_id: UUID,
    *,
    tryon_enabled: bool,
    language: str,
    keywords: list[str],
    field: str,
) -> None:
    """``field``: under which name the keywords were entered. Raises Invalid and KeywordUnfit."""
    _check_language(language)
    check_keywords(keywords, field=field)
    changes = {
        "tryon_enabled": tryon_enabled,
        "language": language,
        "trigger_keywords": keywords,
    }
    await accounts.change_settings(tx, account_id, lambda known: {**known, **changes})


async def switch_on(tx: Tx, account: Account) -> None:
    """Try-on for this account, in a system transaction: in its own settings, and in the workspace's
    for its platform where those switch it off.
    """
    await accounts.change_settings(tx, account.id, lambda known: {**known, "tryon_enabled": True})
    if switched_off(account.settings, account.workspace_settings) is SwitchedOff.WORKSPACE:
        await change_platform_settings(
            tx,
            account.workspace_id,
            account.platform,
            lambda known: {**known, "enabled": True, "tryon_enabled": True},
        )


async def save_text(
    tx: Tx, account: Account, language: str, key: str, own: str, *, brand: str, field: str
) -> str:
    """In the brand's own words; empty for ours again. What is kept. Raises NotFound, TextUnfit and
    TextTooLong; ``field`` is under which name the text was entered.
    """
    own = own.replace("\r\n", "\n").strip()
    check_text(key, language, own, brand=brand or account.username, field=field)
    await accounts.change_settings(
        tx, account.id, lambda known: with_text(known, language, key, own)
    )
    return own


def check_text(key: str, language: str, own: str, *, brand: str, field: str) -> None:
    """Raises NotFound, TextUnfit and TextTooLong; each fault with its place in the text."""
    our_text(key, language)
    found = texts.faults(key, language, own)
    if found:
        places = [
            {
                "field": field,
                "message": fault.message,
                "line": fault.line,
                "column": fault.column,
                "position": fault.start,
                "length": fault.end - fault.start,
            }
            for fault in found
        ]
        more = (
            _("And %(count)s more, marked below the text.", count=len(found) - 1)
            if len(found) > 1
            else ""
        )
        raise TextUnfit(sentences(found[0].where, more), fields=places)
    size, limit, unit = measure(key, shown(key, language, own, brand=brand))
    if size > limit:
        said = _too_long(size, limit, unit)
        counted = _("Letters with accents and emoji count for more than one.")
        hint = counted if unit == "bytes" else ""
        raise TextTooLong(said, hint=hint, fields=[{"field": field, "message": said}])


def _too_long(size: int, limit: int, unit: str) -> str:
    if unit == "bytes":
        return _(
            "With names and prices filled in it takes %(size)s bytes; a message can have %(limit)s.",
            size=size,
            limit=limit,
        )
    return _(
        "With names and prices filled in it takes %(size)s characters; a message can have %(limit)s.",
        size=size,
        limit=limit,
    )


def our_text(key: str, language: str) -> str:
    """What we say there. Raises NotFound."""
    _check_language(language)
    ours = texts.catalogue(language).get(key)
    if ours is None or key == "language":
        raise NotFound(_("The bot has no such text."))
    return ours


def shown(key: str, language: str, own: str, *, brand: str) -> str:
    """How a shopper would read it, were it said as it is."""
    framing = texts.catalogue(language)["framing"]
    sample = {"brand": brand, "framing": framing, **SAMPLE}
    return texts.fill(own or texts.catalogue(language)[key], sample).strip()


def measure(key: str, said: str) -> tuple[int, int, str]:
    """How long it is, how long it may be, and in what that is counted."""
    if key.startswith("button_"):
        return len(said), LONGEST_BUTTON, "characters"
    return len(said.encode()), LONGEST_BYTES, "bytes"


def own_texts(settings: Mapping[str, Any], language: str) -> dict[str, str]:
    """The brand's own words in a language, whatever else the settings may hold."""
    templates = settings.get("message_templates")
    chosen = templates.get(language) if isinstance(templates, Mapping) else None
    found = chosen if isinstance(chosen, Mapping) else {}
    return {str(key): value for key, value in found.items() if isinstance(value, str)}


def with_text(settings: Mapping[str, Any], language: str, key: str, own: str) -> dict[str, Any]:
    """The settings with one text changed, or taken out when ``own`` is empty."""
    templates = settings.get("message_templates")
    kept = dict(templates) if isinstance(templates, Mapping) else {}
    mine = own_texts(settings, language)
    mine.pop(key, None)
    kept[language] = {**mine, key: own} if own else mine
    return {**settings, "message_templates": kept}


def _check_language(language: str) -> None:
    if language not in texts.languages():
        raise Invalid(_("The bot does not speak this language yet."))
