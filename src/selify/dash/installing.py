"""The pages, put together: routes, static files, and errors that people can read."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from selify.core.wiring import Wing, brought
from selify.dash import api_docs, parts
from selify.dash.environment import STATIC
from selify.dash.pages import Pages
from selify.dash.refusals import PagesForPeople
from selify.dash.shell import STYLE, Shell

FOREVER = f"public, max-age={365 * 24 * 3600}, immutable"


def install(app: FastAPI, wings: Sequence[Wing], *, files: Path, swagger: Path) -> None:
    """Mount the pages of all wings, and static files. ``files``: the folder with what pages take out of
    published packages; ``swagger``: the one with Swagger UI.
    """
    app.state.shell = shell = Shell.of(wings)
    routers = [router for pages in brought(wings, Pages).values() for router in pages.routers]
    for router in (*routers, parts.router(shell)):
        app.include_router(router, include_in_schema=False)
    api_docs.install(app, folder=swagger)
    app.mount(api_docs.ADDRESS, LongLived(directory=swagger), name="swagger")
    app.add_route(STYLE, partial(_style_of, shell), include_in_schema=False)
    app.mount("/static/files", GZipMiddleware(LongLived(directory=files)), name="files")
    app.mount("/static", GZipMiddleware(LongLived(directory=STATIC)), name="static")
    app.add_middleware(PagesForPeople)


async def _style_of(shell: Shell, _request: Request) -> Response:
    return Response(shell.style, media_type="text/css", headers={"Cache-Control": FOREVER})


class LongLived(StaticFiles):
    """Files that browsers may keep: their addresses change when they do."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code in (200, 304):
            response.headers["Cache-Control"] = FOREVER
        return response
