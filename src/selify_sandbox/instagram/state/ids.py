"""Identifiers that look like the vendor's: long digit strings, opaque message ids."""

import secrets


def _digits(prefix: str, length: int) -> str:
    rest = length - len(prefix)
    return prefix + str(secrets.randbelow(10**rest)).zfill(rest)


def professional_id() -> str:
    """Professional account id; the webhook's ``entry.id``."""
    return _digits("17841", 17)


def app_scoped_id() -> str:
    """The same account as one app sees it (``/me`` ``id``)."""
    return _digits("2", 17)


def person_id() -> str:
    """A person as one account sees them in messages (IGSID), or in comments."""
    return _digits("9", 16)


def media_id() -> str:
    """A post, reel or story."""
    return _digits("180", 17)


def comment_id() -> str:
    """A comment or a reply to one."""
    return _digits("179", 17)


def message_id() -> str:
    """A ``mid``."""
    return "aWdfZAG1faXRlbToxOk" + secrets.token_urlsafe(48)


def thread_id() -> str:
    """A conversation."""
    return "aWdfZAG06MTpJR01lc3NhZA" + secrets.token_urlsafe(24)


def file_id() -> str:
    """A stored picture."""
    return secrets.token_urlsafe(18)


def shortcode() -> str:
    """The last part of a post's permalink."""
    return secrets.token_urlsafe(8).replace("-", "A").replace("_", "B")


def access_token() -> str:
    """A user token; the real ones start like this too."""
    return "IGAA" + secrets.token_urlsafe(90).replace("-", "Z").replace("_", "Z")


def authorization_code() -> str:
    """A single-use code."""
    return "AQ" + secrets.token_urlsafe(60)


def trace_id() -> str:
    """``fbtrace_id`` of an error."""
    return "A" + secrets.token_urlsafe(16)
