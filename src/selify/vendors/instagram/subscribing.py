"""Subscribing to as much as Instagram allows, and saying what is missing.

Instagram takes a list of webhook fields or refuses it as a whole: for a permission that the owner
did not grant, or for a field it does not offer to our app. One field that it takes is better than
none, for then messages arrive.
"""

from collections.abc import Iterable, Sequence

from selify.core.language import _
from selify.messaging.ports import Subscription
from selify.vendors.instagram.client import InstagramClient
from selify.vendors.instagram.config import COMMENTS_SCOPE, MESSAGES_SCOPE, scope_of
from selify.vendors.instagram.errors import NOT_ALLOWED, WRONG_REQUEST, GraphError

_ABOUT_FIELDS = (NOT_ALLOWED.reason, WRONG_REQUEST.reason)
_LACKING = {
    COMMENTS_SCOPE: _("The permission to manage comments is missing."),
    MESSAGES_SCOPE: _("The permission to manage messages is missing."),
}


async def subscribe(
    client: InstagramClient, token: str, wanted: Sequence[str], permissions: Sequence[str]
) -> Subscription:
    """Every field that may be had. Raises GraphError where none may, or Instagram cannot tell now."""
    granted = [field for field in wanted if scope_of(field) in permissions]
    asked = granted or list(wanted)  # what we were told of permissions may be nothing, or old
    search = _Search(client, token)
    taken = await search.taken(asked)
    if not taken:
        raise next(iter(search.refused.values()))
    if taken != search.latest:
        await client.subscribe(token, taken)
    unpermitted = [field for field in wanted if field not in asked]
    unpermitted += [f for f, e in search.refused.items() if e.verdict.reason == NOT_ALLOWED.reason]
    unknown = [field for field in search.refused if field not in unpermitted]
    missing = {*unpermitted, *unknown}
    listed = await client.subscriptions(token)
    return Subscription(
        tuple(field for field in listed if field not in missing),
        _complaint(unpermitted, unknown),
        reconnecting_helps=bool(unpermitted),
    )


class _Search:
    """Finds out which fields Instagram takes. Each subscription replaces the one before."""

    def __init__(self, client: InstagramClient, token: str) -> None:
        self._client = client
        self._token = token
        self.latest: list[str] = []
        self.refused: dict[str, GraphError] = {}

    async def taken(self, fields: list[str]) -> list[str]:
        """Of a list that is refused, each half is tried by itself."""
        try:
            await self._client.subscribe(self._token, fields)
        except GraphError as error:
            if error.verdict.reason not in _ABOUT_FIELDS:
                raise
            if len(fields) == 1:
                self.refused[fields[0]] = error
                return []
            half = len(fields) // 2
            return await self.taken(fields[:half]) + await self.taken(fields[half:])
        self.latest = fields
        return fields


def _complaint(unpermitted: Iterable[str], unknown: Iterable[str]) -> str:
    said = list(dict.fromkeys(_LACKING[scope_of(field)] for field in unpermitted))
    if names := ", ".join(f"“{field}”" for field in unknown):
        said.append(
            _(
                "Instagram does not offer %(fields)s to our app; connecting again does not change that.",
                fields=names,
            )
        )
    return " ".join(said)
