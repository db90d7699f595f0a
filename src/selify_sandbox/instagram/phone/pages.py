"""Rendering the page's templates, and how they show times and numbers."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

HERE = Path(__file__).parent
MINUTE, HOUR, DAY = 60, 3600, 86_400
_LINK_TEXT = re.compile(r"(?<=>)[^<]+(?=</a>)")
_SLASH = re.compile(r"(?<![:/])/(?=[^/])")


def ago(seconds: float) -> str:
    """Age in the app's short style: now, 5m, 2h, 3d, 6w."""
    age = max(0, int(time.time() - seconds))
    if age < MINUTE:
        return "now"
    if age < HOUR:
        return f"{age // MINUTE}m"
    if age < DAY:
        return f"{age // HOUR}h"
    return f"{age // DAY}d" if age < 14 * DAY else f"{age // (7 * DAY)}w"


def iso(seconds: float) -> str:
    """For ``<time datetime>``; the page's script turns it into local time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def grouped(number: int) -> str:
    """1,204."""
    return f"{number:,}"


def breakable(linked: Markup) -> Markup:
    """Text with links that may break after a slash rather than inside a word."""
    return Markup(_LINK_TEXT.sub(lambda text: _SLASH.sub("/<wbr>", text[0]), linked))  # noqa: S704


_environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(ago=ago, breakable=breakable, iso=iso, grouped=grouped)


def render(template: str, **values: Any) -> str:
    """HTML of one template."""
    return _environment.get_template(template).render(**values)
