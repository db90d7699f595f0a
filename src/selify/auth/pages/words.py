"""How roles and outcomes are said to a shop owner."""

from collections.abc import Mapping

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
