"""How roles and outcomes are said to a shop owner."""

from collections.abc import Mapping
from dataclasses import dataclass

from selify.core.language import _

ROLES: Mapping[str, str] = {
    "owner": _("Owner"),
    "admin": _("Admin"),
    "member": _("Member"),
}

# What the fields of our forms are called on their pages, where it is not their own name.
FIELDS: Mapping[str, str] = {
    "full_name": _("Your name"),
}

DONE: Mapping[str, str] = {
    "brand_made": _("Your brand is ready. Next: connect the account your shoppers write to."),
    "brand_restored": _("Your brand is back. Connect its accounts again, and its bot answers."),
}


@dataclass(frozen=True, slots=True)
class LinkWords:
    """Of the page that a one-time link opens: with its button, and once that was pressed."""

    title: str
    button: str
    done: str


LINKS: Mapping[str, LinkWords] = {
    "email_confirmation": LinkWords(
        _("Confirm your e-mail address"),
        _("Confirm address"),
        _("Your e-mail address is confirmed"),
    ),
    "email_change": LinkWords(
        _("Use this e-mail address from now on"),
        _("Use this address"),
        _("Your e-mail address was changed"),
    ),
    "email_undo": LinkWords(
        _("Take your account back to this e-mail address"),
        _("Undo this change"),
        _("The change was undone"),
    ),
}
