"""The switch of languages, signed in or not."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from selify.core.errors import Invalid
from selify.core.language import LANGUAGES, _
from selify.core.permissions import EVERYONE, allows
from selify.core.text import OneLine
from selify.core.web import http, origins
from selify.core.web.language import COOKIE
from selify.dash.context import A_YEAR, people_of

router = APIRouter()


@router.post("/language")
@allows(EVERYONE)
async def choose(
    request: Request, language: Annotated[OneLine, Form(max_length=10)] = ""
) -> Response:
    """From now on on this browser, and for whoever is signed in on every other; back to the page."""
    public_url: str = request.app.state.settings.public_url
    origins.demand_same_origin(request, public_url=public_url)
    if language not in LANGUAGES:
        raise Invalid(_("These pages do not speak this language yet."), field="language")
    await people_of(request).choose_language(request, language)
    cookie = f"{COOKIE}={language}; Path=/; Max-Age={A_YEAR}; HttpOnly; SameSite=Lax"
    secure = public_url.startswith("https:")
    http.add_response_header(request, "Set-Cookie", cookie + ("; Secure" * secure))
    goal = origins.safe_return_to(_page_of(request), public_url=public_url, doors=True)
    return RedirectResponse(goal, status_code=303)


def _page_of(request: Request) -> str:
    """Where the switch was used, as a path of ours."""
    page = request.headers.get("referer", "")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}/"
    return "/" + page.removeprefix(own) if page.startswith(own) else page
