"""Signing in, workspaces and their members, plugged in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from selify import auth
from selify.auth import (
    endpoints,
    holding_endpoints,
    holdings,
    one_time_links,
    ownership,
    ownership_endpoints,
    pages,
    permissions,
    profile_endpoints,
    sessions,
    team_endpoints,
    throttle,
)
from selify.auth.account import endpoints as account
from selify.auth.api_keys import endpoints as key_endpoints
from selify.auth.api_keys import reviews
from selify.auth.authenticator import Authenticator
from selify.auth.people import PeopleOfPages
from selify.auth.personal import endpoints as personal_endpoints
from selify.auth.personal import parts
from selify.auth.personal.erasure import ERASURE, Erasure, ErasureJob
from selify.auth.personal.export import EXPORT, ExportJob, PersonalExport
from selify.auth.settings import AuthSettings
from selify.auth.workspace_deletion import WorkspaceDeletion
from selify.auth.workspaces import DELETION, Deletion
from selify.core.container import Container
from selify.core.departure import Departure
from selify.core.personal_data import PersonalPart
from selify.core.pruning import Rule
from selify.core.queue.worker import Routine
from selify.core.wiring import Service, Wing, Work, as_system
from selify.dash.ports import People


@asynccontextmanager
async def _open(container: Container) -> AsyncIterator[None]:
    container.offer(People, PeopleOfPages())
    container.offer(PersonalPart, parts.ACCOUNTS)
    yield


@asynccontextmanager
async def _serve(container: Container) -> AsyncIterator[Service]:
    settings = container.settings.of(AuthSettings)
    authenticator = Authenticator.from_settings(settings, container.database, container.clock)
    yield Service(
        state={
            "authenticator": authenticator,
            "authenticate": authenticator.authenticate,
            "still_signed_in": authenticator.still_holds,
        }
    )


async def _work(container: Container) -> Work:
    now = container.clock.now
    tidy = as_system(container, lambda tx: auth.tidy(tx, now=now()))
    tell = as_system(container, lambda tx: reviews.tell_owners(tx, now=now()))
    deletion = WorkspaceDeletion(
        container.database, container.clock, container.storage, container.every(Departure)
    )
    personal = container.every(PersonalPart)
    export = PersonalExport(container.database, container.clock, container.storage, personal)
    erasure = Erasure(container.database, container.clock, personal)
    return Work(
        jobs={DELETION: deletion, EXPORT: export, ERASURE: erasure},
        routines=[Routine("sign-ins", 600, tidy), Routine("reviews of API keys", 30, tell)],
    )


WING = Wing(
    name="auth",
    routers=[
        endpoints.router,
        account.router,
        key_endpoints.router,
        ownership_endpoints.router,
        holding_endpoints.router,
        profile_endpoints.router,
        personal_endpoints.router,
        team_endpoints.router,
    ],
    permissions=permissions.PERMISSIONS,
    request_costs={"/sign-in": 0, "/sign-up": 0, "/api/v1/auth/sign-": 0},
    pruned=(
        one_time_links.PRUNED,
        Rule("internal.api_keys", "revoked_at", timedelta(days=90)),
        Rule("internal.personal_exports", "expires_at", timedelta(days=1)),
    ),
    bounds=(
        *throttle.BOUNDS,
        *sessions.BOUNDS,
        *one_time_links.BOUNDS,
        *ownership.BOUNDS,
        *holdings.BOUNDS,
    ),
    payloads={DELETION: Deletion, EXPORT: ExportJob, ERASURE: ErasureJob},
    brings=[pages.PAGES],
    opens=_open,
    serve=_serve,
    work=_work,
)
