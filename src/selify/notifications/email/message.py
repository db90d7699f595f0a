"""A letter as it travels: headers, plain text, and the same as HTML."""

import hashlib
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from selify.notifications.email.letter import Letter

_POLICY = SMTP.clone(cte_type="7bit")
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def message_of(letter: Letter, *, sender: Address, key: str, written_at: datetime) -> EmailMessage:
    """``Message-ID`` follows from the key, so that one that is delivered twice is shown once."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = written_at
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in answer
    message.set_content(letter.plain())
    html = _TEMPLATES.get_template("letter.html").render(letter=letter)
    message.add_alternative(html, subtype="html")
    message["Content-Language"] = letter.language  # of both, so after they are
    return message
