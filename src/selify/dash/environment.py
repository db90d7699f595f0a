"""The Jinja environment of all pages: everything escaped, nothing missing in silence.

The shell's own templates have plain names; those of a wing are called ``<wing>/….html``.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    pass_context,
)
from jinja2.runtime import Context
from markupsafe import Markup

from selify import assets
from selify.core import language
from selify.core.language import _n
from selify.core.money import Credits, MicroUnits
from selify.core.permissions import Permission
from selify.dash import words as own_words
from selify.dash.icons import icon

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"


def made(
    folders: Mapping[str, Path],
    *,
    words: Mapping[str, object],
    permissions: Iterable[Permission],
) -> Environment:
    """``folders`` and ``words`` by wing. Templates ask for ``permissions.<wing>.<NAME>``."""
    of_wings = {wing: FileSystemLoader(folder) for wing, folder in folders.items()}
    found = Environment(
        loader=ChoiceLoader([FileSystemLoader(TEMPLATES), PrefixLoader(of_wings)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    found.filters.update(
        number=_spoken(language.number),
        said=_spoken(language.say),
        day=_spoken(_day),
        moment=_spoken(_moment),
        dollars=_spoken(_dollars),
        typed_price=_spoken(_typed_price),
        price=_spoken(_price),
        stored=language.stored,
        upfirst=_upfirst,
        web=_web,
        attributes=_attributes,
        initial=own_words.initial,
        tint=own_words.tint,
    )
    found.globals.update(
        asset=asset,
        file=file,
        icon=icon,
        words=words,
        permissions=_by_wing(permissions),
        reader_language=language.current,
        script_words=_script_words,
        _n=_n,
    )
    found.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: language.catalogue(language.current()).gettext(text),
        lambda one, many, count: language.catalogue(language.current()).ngettext(one, many, count),
        newstyle=True,
    )
    return found


@cache
def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def file(name: str) -> str:
    """The address of a file out of a published package (``assets.toml``), which changes with its content."""
    return f"/static/files/{name}?v={assets.digest_of('page-files', name)[:10]}"


def _attributes(named: Mapping[str, Any]) -> Markup:
    """As they stand in a tag: ``hx_get`` becomes ``hx-get``, what is true stands alone, what is false or
    nothing does not stand there.
    """
    written = (
        Markup(" {}").format(name) if value is True else Markup(' {}="{}"').format(name, value)
        for name, value in (
            (name.rstrip("_").replace("_", "-"), value) for name, value in named.items()
        )
        if value is not None and value is not False
    )
    return Markup("").join(written)


def _by_wing(permissions: Iterable[Permission]) -> Mapping[str, Mapping[str, Permission]]:
    """``messaging.accounts.connect`` as ``messaging.ACCOUNTS_CONNECT``."""
    found: dict[str, dict[str, Permission]] = defaultdict(dict)
    for one in permissions:
        wing, _point, name = one.name.partition(".")
        found[wing][name.replace(".", "_").upper()] = one
    return found


def _spoken(write: Callable[[Any, str], str]) -> Callable[[Context, Any], str]:
    """A filter that writes a value in the reader's language. (With the context, so that none of its
    results is worked out once for all readers.)
    """

    @pass_context
    def filtered(_context: Context, value: Any) -> str:
        return write(value, language.current())

    return filtered


def _upfirst(text: str) -> str:
    said = language.translated(text)
    return said[:1].upper() + said[1:]


def _script_words() -> str:
    return json.dumps({name: language.translated(said) for name, said in own_words.SCRIPT.items()})


def _dollars(amount: MicroUnits | Credits, spoken: str) -> str:
    """Two digits where that is the whole truth, else as many as it takes."""
    micro = amount.to_micro_units() if isinstance(amount, Credits) else amount
    cents = micro.to_cents()
    return language.money(cents if cents.to_micro_units() == micro else micro, spoken)


def _price(product: Mapping[str, Any], spoken: str) -> str:
    """A garment's price; empty where it is not known."""
    known = product.get("price_cents")
    if not isinstance(known, int):
        return ""
    return language.currency(Decimal(known) / 100, str(product.get("currency") or "USD"), spoken)


def _typed_price(cents: int, spoken: str) -> str:
    """As one types it into a form."""
    return language.plain_decimal(Decimal(cents) / 100, spoken)


def _web(address: str | None) -> str:
    """An address one may follow, or nothing: what came from outside may be no web page at all."""
    return address if address and address.startswith(("https://", "http://")) else ""


def _day(day: date, spoken: str) -> str:
    return language.moment(datetime.combine(day, time()), "short", spoken)


def _moment(when: datetime, spoken: str) -> str:
    return language.moment(when, "moment", spoken)
