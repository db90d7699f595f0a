"""What can be set about mails."""

from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field, field_validator

from selify.core.settings import SECRET, Settings

Tls = Literal["starttls", "tls", "none"]
_PORTS: dict[Tls, int] = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in. ``tls``: by a command, from the beginning, or not at all."""

    host: str
    port: int
    tls: Tls
    user: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises ValueError."""
        parts = urlsplit(url)
        asked = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
        tls = asked.pop("tls", ["starttls"])[-1]
        if parts.scheme != "smtp" or not parts.hostname or parts.path not in ("", "/") or asked:
            raise ValueError("must look like smtp://user:password@host:587?tls=starttls")
        if tls not in _PORTS:
            raise ValueError(f"tls is one of {', '.join(_PORTS)}")
        if parts.username and parts.password is None:
            raise ValueError("names a user and no password")
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[tls],
            tls=tls,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class EmailSettings(Settings):
    mail_server: Annotated[str, SECRET] = Field(
        "",
        description="Where mails to your own people are handed in:"
        " `smtp://user:password@host:587?tls=starttls` (or `tls`, `none`). Empty: they lie in this"
        " machine's own mailbox, `/mailbox`.",
    )
    mail_from: str = Field(
        "",
        description="Whom these mails are from, such as `Selify <hello@brand.example>`. Empty:"
        " `no-reply` at the host of `SELIFY_PUBLIC_URL`.",
    )

    @field_validator("mail_server")
    @classmethod
    def _known_mail_server(cls, value: str) -> str:
        if value:
            MailServer.parse(value)
        return value

    @field_validator("mail_from")
    @classmethod
    def _one_sender(cls, value: str) -> str:
        if value:
            _address(value)
        return value

    @property
    def has_mail_server(self) -> bool:
        return bool(self.mail_server)

    @property
    def mail_sender(self) -> Address:
        host = urlsplit(self.public_url).hostname or "localhost"
        return _address(self.mail_from or f"Selify <no-reply@{host}>")


def _address(text: str) -> Address:
    """“Name <mailbox>” or the mailbox alone. Raises ValueError."""
    name, bracket, rest = text.strip().rpartition("<")
    mailbox = rest.removesuffix(">") if bracket else rest
    try:
        return Address(display_name=name.strip().strip('"'), addr_spec=mailbox.strip())
    except (HeaderParseError, IndexError, ValueError) as error:
        raise ValueError("must look like Selify <hello@brand.example>") from error
