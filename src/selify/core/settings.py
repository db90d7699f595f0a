"""Every setting, with its default. Read from the environment (``SELIFY_…``) and ``selify.env``.

A setting left alone means the embedded default: embedded database, local folder, embedded try-on
engine, and no outside world at all.
"""

import contextlib
import ipaddress
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from selify.core.database_access import Addresses, Limits
from selify.core.errors import SelifyError
from selify.core.secrets import SecretBox

SETTINGS_FILE = "selify.env"
Words = Annotated[tuple[str, ...], NoDecode]

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STORAGE_URL = re.compile(r"memory:.*|(file|s3|gs|az)://.+")
_HOST_AND_PORT = re.compile(r"[^\s/@]+:[0-9]{1,5}")
# Who listens on all addresses of the machine is asked at this one.
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not to bind


class SettingsWrong(SelifyError):
    """A setting is missing or makes no sense; the message names it and says what to do."""

    code = "settings_wrong"
    title = "A setting needs attention"


class Settings(BaseSettings):
    """All settings. The description of each is what ``docs/reference/settings.md`` prints."""

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
    database_url: str = Field(
        "",
        description="A PostgreSQL 15+ with pgvector, best as the role `selify_login`, which owns"
        " nothing. Empty: the embedded database.",
    )
    database_owner_url: str = Field(
        "",
        description="The same database as its owner, for `selify up` and `selify db`. Empty: as"
        " `SELIFY_DATABASE_URL`.",
    )
    storage_url: str = Field(
        "", description="Where files live: file://, s3://, gs://, az://. Empty: <data dir>/files."
    )
    public_url: str = Field(
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
    secret_keys: Words = Field(
        (),
        description="Keys sealing stored secrets, `id:base64`, current first. Empty: made once, in"
        " `<data dir>/secret.key`, which goes on opening what it sealed.",
    )
    session_hours: int = Field(24 * 14, ge=1, description="How long a sign-in lasts, in hours.")

    # Logging
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_json: bool = Field(default=False, description="One JSON object per log line.")

    # Instagram
    instagram_app_id: str = Field("selify-demo-app", description="The Instagram app id.")
    instagram_app_secret: SecretStr = Field(
        SecretStr("selify-demo-secret"), description="The Instagram app secret; signs webhooks."
    )
    instagram_previous_secrets: Words = Field(
        (), description="Earlier app secrets that may still sign webhooks, while rotating."
    )
    instagram_verify_token: SecretStr = Field(
        SecretStr("selify-demo-verify"), description="The word of the webhook handshake."
    )
    instagram_www_url: str = Field(
        "https://www.instagram.com", description="Base address of the consent page."
    )
    instagram_api_url: str = Field(
        "https://api.instagram.com", description="Base address of the token endpoint."
    )
    instagram_graph_url: str = Field(
        "https://graph.instagram.com", description="Base address of the Graph API."
    )
    instagram_version: str = Field("v26.0", description="Graph API version.")
    instagram_media_hosts: Words = Field(
        (), description="Further `host:port` from which shoppers' photos may be fetched."
    )

    # Trying on
    tryon_engines: Words = Field(
        ("embedded",),
        description="Engines in order of preference: embedded, gemini, fal, replicate, or one of"
        " your own as package.module:factory.",
    )
    gemini_api_key: SecretStr = Field(SecretStr(""), description="Key for Gemini image.")
    gemini_url: str = Field(
        "https://generativelanguage.googleapis.com", description="Base address of Gemini."
    )
    gemini_models: Words = Field(
        ("gemini-3.1-flash-image", "gemini-3-pro-image"),
        description="Image models in order; the next is used when one is retired.",
    )
    fal_api_key: SecretStr = Field(SecretStr(""), description="Key for fal.")
    fal_url: str = Field("https://queue.fal.run", description="Base address of fal's queue.")
    fal_model: str = Field("fal-ai/leffa/virtual-tryon", description="fal's try-on model.")
    replicate_api_key: SecretStr = Field(SecretStr(""), description="Key for Replicate.")
    replicate_url: str = Field("https://api.replicate.com", description="Base address.")
    replicate_model: str = Field(
        "google/nano-banana", description="`owner/name` or a version id on Replicate."
    )

    tryon_media_hosts: Words = Field(
        (), description="Further `host:port` from which engines' pictures may be fetched."
    )

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

    # Keeping and limits
    photo_hours: int = Field(
        24, ge=0, description="How long a shopper's photo is kept after it was used, in hours."
    )
    max_photo_megabytes: int = Field(20, ge=1, le=200, description="Largest photo accepted.")

    @field_validator(
        "trusted_proxies",
        "secret_keys",
        "instagram_previous_secrets",
        "instagram_media_hosts",
        "tryon_media_hosts",
        "tryon_engines",
        "gemini_models",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            tuple(filter(None, value.replace(",", " ").split()))
            if isinstance(value, str)
            else value
        )

    @field_validator("public_url", "instagram_www_url", "instagram_api_url", "instagram_graph_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

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

    @field_validator("instagram_media_hosts", "tryon_media_hosts")
    @classmethod
    def _with_ports(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            if not _HOST_AND_PORT.fullmatch(entry):
                raise ValueError(f"{entry!r} is not of the form host:port (such as {entry}:443)")
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

    def check_for_the_world(self) -> None:
        """Raises SettingsWrong when the world reaches us and the app's secret is the demo's: whoever
        knows it can forge events, and have accounts deleted.
        """
        demos = type(self).model_fields["instagram_app_secret"].default
        if self.public_url.startswith("https:") and self.instagram_app_secret == demos:
            raise SettingsWrong(
                "SELIFY_INSTAGRAM_APP_SECRET is still the demo's, which everybody knows.",
                hint="Set it to your app's secret; while there is no app, to anything secret.",
            )

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


Kind = TypeVar("Kind", bound=Settings)


def load(**overrides: Any) -> Settings:
    """Settings, or SettingsWrong naming the first thing that is wrong with them."""
    return load_as(Settings, **overrides)


def load_as(kind: type[Kind], **overrides: Any) -> Kind:
    """The same for the settings of a package beside us, which add to ours."""
    try:
        return kind(**overrides)
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
