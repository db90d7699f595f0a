"""What an API key may be given: the scopes that wings say at their permissions.

A scope is for all permissions that name it. An endpoint may be asked with a key that has the scope of
each permission that the endpoint says; what has no scope, and what asks for none, is not for keys.
"""

from collections.abc import Iterable, Mapping
from functools import reduce

from selify.core.errors import Forbidden, Invalid
from selify.core.language import _
from selify.core.permissions import Access, Permission, WorkspaceRole

Vocabulary = Mapping[str, Permission]
"""All permissions, by name."""


class ScopeMissing(Forbidden):
    code = "scope_missing"
    title = _("This API key may not do that")


def known(vocabulary: Vocabulary) -> list[str]:
    return sorted({one.scope for one in vocabulary.values() if one.scope})


def opened_by(scopes: Iterable[str], vocabulary: Vocabulary) -> list[Permission]:
    """The permissions that these scopes are for. Raises Invalid for one that there is not."""
    wanted = set(scopes)
    unknown = wanted - set(known(vocabulary))
    if unknown:
        raise Invalid(
            _("There is no scope “%(scope)s”.", scope=min(unknown)),
            hint=_("There are: %(scopes)s.", scopes=", ".join(known(vocabulary))),
            field="body.scopes",
        )
    return [one for one in vocabulary.values() if one.scope in wanted]


def least_role(permissions: Iterable[Permission]) -> WorkspaceRole:
    """That holds all of them."""
    return reduce(
        lambda one, other: one if one.includes(other) else other,
        (permission.least for permission in permissions),
    )


def check_access(scopes: Iterable[str], access: Access | None) -> None:
    """Whether an endpoint that says this may be asked with such a key. Raises ScopeMissing."""
    asked = (*access.permissions, *access.sometimes) if access else ()
    if not asked:
        raise ScopeMissing(
            _("This is for people who are signed in, and no API key does it."),
            hint=_("Sign in and do it yourself."),
        )
    for permission in asked:
        check(scopes, permission)


def check(scopes: Iterable[str], permission: Permission) -> None:
    """Raises ScopeMissing."""
    if permission.scope is None:
        raise ScopeMissing(
            _("No API key may %(purpose)s.", purpose=permission.purpose),
            hint=_("Sign in and do it yourself."),
            permission=permission.name,
        )
    if permission.scope not in scopes:
        raise ScopeMissing(
            _("This API key lacks the scope “%(scope)s”.", scope=permission.scope),
            hint=_("Make a key that has it."),
            permission=permission.name,
            scope=permission.scope,
        )
