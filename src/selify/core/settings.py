"""Settings, read from the environment (``SELIFY_…``) and ``selify.env``: the generic ones, and how all of
them become one object.

A wing or a vendor brings a ``settings.py`` with a class that inherits from ``Settings`` (``core/discovery.py``).
``load()`` gives an object that is all of these classes at once, and each wing asks it for its own:
``settings.of(ItsSettings)``. A package beside ours adds its class itself: ``load(ItsSettings)``.

A setting left alone means the embedded default: embedded database, local
folder, and no outside world at all.
"""

import contextlib
import ipaddress
import os
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    create_model,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from selify.core import discovery
from selify.core.database_access import Addresses, Limits
from selify.core.discovery import Brought
from selify.core.errors import SelifyError
from selify.core.secrets import SecretBox

SETTINGS_FILE = "selify.env"
# Of a setting that is shown as set or not, like every ``SecretStr``.
SECRET: Final = object()
Kind = TypeVar("Kind", bound="Settings")

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STORAGE_URL = re.compile(r"memory:.*|(file|s3|gs|az)://.+")
_HOST_AND_PORT = re.compile(r"[^\s/@]+:[0-9]{1,5}")
# Who listens on all addresses of the machine is asked at this one.
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not to bind


class SettingsWrong(SelifyError):
    """A setting is missing or makes no sense; the message names it and says what to do."""

    code = "settings_wrong"
    title = "A setting needs attention"


def _split(value: Any) -> Any:
    return tuple(filter(None, value.replace(",", " ").split())) if isinstance(value, str) else value


def _with_ports(value: tuple[str, ...]) -> tuple[str, ...]:
    for entry in value:
        if not _HOST_AND_PORT.fullmatch(entry):
            raise ValueError(f"{entry!r} is not of the form host:port (such as {entry}:443)")
    return value


def _without_slash(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value.rstrip("/")


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
HostsAndPorts = Annotated[Words, AfterValidator(_with_ports)]
BaseUrl = Annotated[str, AfterValidator(_without_slash)]


class Settings(BaseSettings):
    """The generic ones. The description of each is what ``docs/reference/settings.md`` prints."""

    model_config = SettingsConfigDict(
        env_prefix="SELIFY_",
        env_file=os.environ.get("SELIFY_SETTINGS_FILE", SETTINGS_FILE),
        extra="ignore",
        frozen=True,
    )

    # Where things are
    data_dir: Path = Field(
        Path(".selify"), description="Folder of the embedded database, the files and our own key."
    )
    database_url: Annotated[str, SECRET] = Field(
        "",
        description="A PostgreSQL 15+ with pgvector, best as the role `selify_login`, which owns"
        " nothing. Empty: the embedded database.",
    )
    database_owner_url: Annotated[str, SECRET] = Field(
        "",
        description="The same database as its owner, for `selify up` and `selify db`. Empty: as"
        " `SELIFY_DATABASE_URL`.",
    )
    storage_url: str = Field(
        "", description="Where files live: file://, s3://, gs://, az://. Empty: <data dir>/files."
    )
    public_url: BaseUrl = Field(
        "http://127.0.0.1:8700", description="The address under which the world reaches the server."
    )
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8700, ge=1, le=65535, description="Port the server listens on.")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port on which a lone worker is scraped. 0: none."
    )
    trusted_proxies: Words = Field(
        ("127.0.0.1", "::1"),
        description="Addresses and networks of your reverse proxies (`*`: whoever connects is one)."
        " Their headers say who the visitor is; the limit per address does not count for them.",
    )
    max_connections: int = Field(
        2000, ge=16, le=100_000, description="Connections the server keeps open at once."
    )
    max_connections_per_address: int = Field(
        200, ge=1, description="Connections one address may keep open at once."
    )
    requests_per_minute_per_key: int = Field(
        1800,
        ge=0,
        description="Requests one sign-in or access token may send in a minute; beyond it the answer is"
        " 429. Webhooks, files and signing in do not count. 0: as many as it likes.",
    )
    requests_per_minute_per_person: int = Field(
        3600, ge=0, description="The same, for all sign-ins of one person together."
    )
    requests_per_minute_per_address: int = Field(
        3600,
        ge=0,
        description="The same, for one address, of whoever is not signed in. Colleagues who are signed"
        " in count by themselves.",
    )
    workers: int = Field(1, ge=1, le=64, description="Worker processes that `selify up` starts.")

    # Secrets
    secret_keys: Annotated[Words, SECRET] = Field(
        (),
        description="Keys sealing stored secrets, `id:base64`, current first. Empty: made once, in"
        " `<data dir>/secret.key`, which goes on opening what it sealed.",
    )

    # Logging
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_json: bool = Field(default=False, description="One JSON object per log line.")

    # How long the database may take, in seconds; 0: as long as it needs
    server_statement_seconds: float = Field(
        15, ge=0, description="Longest statement of a request; beyond it the answer is 503."
    )
    server_lock_seconds: float = Field(
        5, ge=0, description="How long a request's statement waits for somebody else's lock."
    )
    server_idle_seconds: float = Field(
        60, ge=0, description="How long a request's transaction may stand open with nothing asked."
    )
    worker_statement_seconds: float = Field(
        120, ge=0, description="Longest statement of a worker; beyond it, it is tried again later."
    )
    worker_lock_seconds: float = Field(
        30, ge=0, description="How long a worker's statement waits for somebody else's lock."
    )
    worker_idle_seconds: float = Field(
        300, ge=0, description="How long a worker's transaction may stand open with nothing asked."
    )

    @field_validator("public_url")
    @classmethod
    def _somewhere(cls, value: str) -> str:
        parts = urlsplit(value)
        if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
            raise ValueError("must name a host, and nothing but a path behind it")
        _ = parts.port  # raises ValueError for one that cannot be
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _known_level(cls, value: Any) -> Any:
        level = str(value).strip().upper()
        if level not in LOG_LEVELS:
            raise ValueError(f"{value!r} is none of {', '.join(LOG_LEVELS)}")
        return level

    @field_validator("storage_url")
    @classmethod
    def _known_storage(cls, value: str) -> str:
        if value and not _STORAGE_URL.fullmatch(value):
            raise ValueError("must start with file://, s3://, gs:// or az:// and name a place")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _known_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            if entry != "*":
                _ = ipaddress.ip_network(entry)
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    def of(self, kind: type[Kind]) -> Kind:
        """Itself, as what a wing knows of it. Raises LookupError where it was made without that wing's."""
        if isinstance(self, kind):
            return self
        raise LookupError(f"these settings were made without {kind.__name__}")

    def check_for_the_world(self) -> None:
        """Raises SettingsWrong where the world reaches us and a part is not made for it."""
        if self.public_url.startswith("https:"):
            for part in type(self).__mro__:
                if check := vars(part).get("check_exposed"):
                    check(self)

    def check_exposed(self) -> None:
        """A wing's own say in that: each is asked, whichever others there are."""

    @property
    def own_url(self) -> str:
        """The address under which this machine itself reaches the server."""
        host = _LOOPBACK.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def database_addresses(self) -> Addresses:
        """Of the database that somebody named."""
        return Addresses(self.database_owner_url or self.database_url, self.database_url)

    @property
    def requests_per_minute(self) -> tuple[int, int, int]:
        """By key, person and address."""
        return (
            self.requests_per_minute_per_key,
            self.requests_per_minute_per_person,
            self.requests_per_minute_per_address,
        )

    @property
    def server_limits(self) -> Limits:
        return Limits(
            self.server_statement_seconds, self.server_lock_seconds, self.server_idle_seconds
        )

    @property
    def worker_limits(self) -> Limits:
        return Limits(
            self.worker_statement_seconds, self.worker_lock_seconds, self.worker_idle_seconds
        )

    @property
    def files_url(self) -> str:
        return self.storage_url or f"file://{self.data_dir / 'files'}"

    @property
    def uses_data_dir(self) -> bool:
        """Whether anything of ours lives there; a container may be read-only where nothing does."""
        return not (self.database_url and self.storage_url and self.secret_keys)

    @cached_property
    def secret_box(self) -> SecretBox:
        """From the settings, and from a key made once in the data directory: current where no other
        is given, and otherwise still there to open what it sealed.
        """
        path = own_key_file(self.data_dir)
        keys = self.secret_keys
        if not keys or path.exists():
            own = _own_key(self.data_dir)
            keys = keys if own in keys else (*keys, own)
        try:
            return SecretBox.parse(keys)
        except ValueError as error:
            raise SettingsWrong(
                f"SELIFY_SECRET_KEYS: {error}.",
                hint="Make one with `selify secrets new-key` and an id of its own"
                f" ({path}, where it exists, counts as well).",
            ) from error


def parts(brought: Iterable[Brought]) -> dict[type[Settings], str]:
    """The classes of these files, the generic one first, and whose each is."""
    found = {Settings: "core"}
    for one in brought:
        for kind in vars(one.load()).values():
            if isinstance(kind, type) and issubclass(kind, Settings):
                found.setdefault(kind, one.wing)
    return found


def composed(kinds: Iterable[type[Settings]]) -> type[Settings]:
    """One class that is all of them. Raises ValueError where two say the same name."""
    special = [kind for kind in kinds if kind is not Settings]
    owners = dict.fromkeys(_own_names(Settings), Settings)
    for kind in special:
        for name in _own_names(kind):
            if name in owners:
                raise ValueError(f"{owners[name].__name__} and {kind.__name__} both say {name}")
            owners[name] = kind
    return create_model("AllSettings", __base__=tuple(special) or Settings)


def _own_names(kind: type[Settings]) -> set[str]:
    """Fields, properties, methods and validators (which would silently take each other's place)."""
    own = vars(kind)
    return {
        name
        for name in {*own, *own.get("__annotations__", ())}
        if not name.startswith(("__", "_abc_")) and name not in ("model_config", "check_exposed")
    }


def every(*more: type[Settings]) -> type[Settings]:
    """The class of all the product's settings, and of those that a package beside it names."""
    return composed([*parts(discovery.ours("settings")), *more])


def load(*more: type[Settings], **overrides: Any) -> Settings:
    """An object of it, or SettingsWrong naming the first thing that is wrong."""
    try:
        return every(*more)(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = "SELIFY_" + "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsWrong(
            f"{name}: {reason}.", hint=f"Correct it in the environment or in {SETTINGS_FILE}."
        ) from error


def own_key_file(data_dir: Path) -> Path:
    return data_dir / "secret.key"


def _own_key(data_dir: Path) -> str:
    """The data directory's own key: made by whoever comes first, readable by its owner only.

    It appears with its content (a link to a finished file), for server and worker start at once.
    """
    path = own_key_file(data_dir)
    try:
        if not path.exists():
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _publish(SecretBox.new_key("k1"), path)
        return path.read_text().strip()
    except OSError as error:
        raise SettingsWrong(
            f"SELIFY_DATA_DIR: {data_dir} cannot be used ({error.strerror}).",
            hint="Choose another folder, or see to its rights and room.",
        ) from error


def _publish(content: str, path: Path) -> None:
    """Whoever comes second finds the first one's file."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
