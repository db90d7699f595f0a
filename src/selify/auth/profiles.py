"""What a person says of themselves. Of somebody else's profile everyone sees four columns, and no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from selify.core.database import Tx
from selify.core.errors import Conflict, NotFound
from selify.core.language import _

# A time zone has a name; the column of that name is a point in time, and is never written (X44 of the reference).
_ZONE: Final = "timezone"
_OWN: Final = frozenset({"username", "full_name", "avatar_url", "website", "location", "language"})


class ProfileNotFound(NotFound):
    code = "profile_not_found"


class UsernameTaken(Conflict):
    code = "username_taken"
    title = _("This user name is taken")


@dataclass(frozen=True, slots=True)
class PublicProfile:
    """What everyone may see of somebody."""

    id: UUID
    username: str | None
    full_name: str | None
    avatar_url: str | None


@dataclass(frozen=True, slots=True)
class OwnProfile:
    id: UUID
    username: str | None
    full_name: str | None
    avatar_url: str | None
    email: str | None
    website: str | None
    location: str | None
    language: str | None
    timezone: str | None


async def access_public(tx: Tx, user_id: UUID) -> PublicProfile:
    """In anybody's transaction: row level security hides who was deleted. Raises ProfileNotFound."""
    found = await tx.fetch_one_as(
        PublicProfile,
        "SELECT id, username, full_name, avatar_url FROM public.profiles WHERE id = $1",
        user_id,
    )
    if found is None:
        raise ProfileNotFound(_("There is nobody of this id."))
    return found


async def own(tx: Tx) -> OwnProfile:
    """Of the user whose transaction this is. Raises ProfileNotFound."""
    found = await tx.fetch_one_as(
        OwnProfile,
        """
        SELECT id, username, full_name, avatar_url, email, website, location, language,
               preferences ->> 'timezone' AS timezone
          FROM public.my_profile()
        """,
    )
    if found is None:
        raise ProfileNotFound(_("There is nobody of this id."))
    return found


async def change(tx: Tx, changes: Mapping[str, Any]) -> OwnProfile:
    """Those of one's own columns that are named, in a user's transaction. Raises UsernameTaken, ProfileNotFound."""
    columns = {name: value for name, value in changes.items() if name in _OWN}
    settings = [f"{name} = ${place}" for place, name in enumerate(columns, 1)]
    values = [*columns.values()]
    if _ZONE in changes:
        values.append({_ZONE: changes[_ZONE]})
        # The user reads no column of the table but four: what there is comes from their own function.
        settings.append(
            f"""preferences = jsonb_strip_nulls(coalesce(
                    (SELECT mine.preferences FROM public.my_profile() mine), '{{}}') || ${len(values)})"""
        )
    if settings:
        await _update(tx, f"{', '.join(settings)}", values)
    return await own(tx)


async def _update(tx: Tx, settings: str, values: list[Any]) -> None:
    try:
        async with tx.savepoint():
            await tx.execute(
                f"UPDATE public.profiles SET {settings} WHERE id = ${len(values) + 1}",
                *values,
                tx.actor.user_id,
            )
    except asyncpg.UniqueViolationError as error:
        raise UsernameTaken(
            _("Somebody else has this user name."),
            hint=_("Choose another one."),
            fields=[{"field": "body.username", "message": _("Somebody else has this user name.")}],
        ) from error
