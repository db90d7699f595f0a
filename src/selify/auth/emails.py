"""E-mail addresses as the name of an account: one spelling per mailbox."""

import re

from selify.core.errors import Invalid
from selify.core.language import _

LONGEST = 254  # RFC 5321 allows no longer address in a command
# What browsers accept in <input type=email>, with at least one dot in the domain.
_ADDRESS = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
)


class EmailInvalid(Invalid):
    code = "email_invalid"
    title = _("This is not an e-mail address we can use")


def normalise(text: str) -> str:
    """The address in lower case. Raises EmailInvalid.

    Letters outside ASCII are refused: a Cyrillic "а" looks like a Latin "a", and two accounts that
    look alike are a trap. Domains in other scripts have an ASCII spelling (``xn--…``).
    """
    address = text.strip(" ") if len(text) <= LONGEST + 2 else text
    if len(address) > LONGEST:
        raise EmailInvalid(
            _("An e-mail address has at most %(longest)s characters.", longest=LONGEST),
            field="email",
        )
    if not address.isascii():
        raise EmailInvalid(
            _("Only plain letters, digits and signs can be used in the e-mail address."),
            hint=_("Type the address by hand: some letters only look like a, e or o."),
            field="email",
        )
    if not _ADDRESS.fullmatch(address.lower()):
        raise EmailInvalid(_("An e-mail address looks like name@example.com."), field="email")
    return address.lower()
