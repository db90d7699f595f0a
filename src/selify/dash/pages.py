"""The brand's pages, put together: routes, static files, and errors that people can read."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from selify.dash import (
    accounts,
    api_docs,
    bell,
    deleted,
    home,
    languages,
    money,
    parts,
    posts,
    settings,
    stream,
    wardrobe,
    welcome,
)
from selify.dash.refusals import PagesForPeople
from selify.dash.rendering import STATIC

A_YEAR = 365 * 24 * 3600


def install(app: FastAPI, *, scripts: Path, swagger: Path) -> None:
    """Mount pages and static files. ``scripts``: the folder with the page libraries; ``swagger``: the
    one with Swagger UI.
    """
    rooms = (home, parts, posts, wardrobe, accounts, money, settings, bell, stream)
    for module in (welcome, deleted, languages, *rooms):
        app.include_router(module.router)
    api_docs.install(app, folder=swagger)
    app.mount(api_docs.ADDRESS, LongLived(directory=swagger), name="swagger")
    app.mount("/static/scripts", LongLived(directory=scripts), name="scripts")
    app.mount("/static", LongLived(directory=STATIC), name="static")
    app.add_middleware(PagesForPeople)


class LongLived(StaticFiles):
    """Files that browsers may keep: their addresses change when they do."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code in (200, 304):
            response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
        return response
