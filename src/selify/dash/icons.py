"""Icons: Lucide's drawings, put into the page itself, so that they take the colour of the words beside them."""

import re
from functools import cache

from markupsafe import Markup

from selify import assets

_DRAWN = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


@cache
def icon(name: str) -> Markup:
    """The drawing called so in ``assets.toml``. It says nothing: words stand beside it or label its button.

    Raises LookupError for one that set-up does not fetch.
    """
    file = assets.ensure("page-icons") / f"{name}.svg"
    found = _DRAWN.search(file.read_text()) if file.is_file() else None
    if found is None:
        raise LookupError(f"there is no icon called {name}: it is no line of assets.toml")
    lines = re.sub(r">\s+<", "><", found[1].strip())
    return Markup(  # noqa: S704 - a file whose hash we know
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{lines}</svg>'
    )
