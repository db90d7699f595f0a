"""What the stand-in needs to know before it starts."""

from dataclasses import dataclass, field
from pathlib import Path

DAY = 86_400.0
# The real thing spreads its retries over 36 hours; here the same shape fits a few minutes.
FAST_RETRIES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0, 120.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """Published rate limits (protocol sheet, section 8); tests may lower them."""

    sends_per_second: int = 100
    private_replies_per_hour: int = 750
    conversation_reads_per_second: int = 2
    impressions_per_day: int = 10_000
    app_users: int = 500

    @property
    def account_calls_per_day(self) -> int:
        """Business-use-case budget: 4800 calls per impression and day, messaging excluded."""
        return 4800 * self.impressions_per_day

    @property
    def app_calls_per_hour(self) -> int:
        """Platform budget: 200 calls per app user and rolling hour."""
        return 200 * self.app_users


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """One app registered with the stand-in, and where the server under test listens.

    ``callback_url`` receives webhooks, ``deauthorize_url`` and ``deletion_url`` the signed
    requests; an empty URL switches that kind of notice off. Durations are seconds.
    """

    data_dir: Path
    public_url: str
    callback_url: str
    app_id: str
    app_secret: str
    verify_token: str
    deauthorize_url: str = ""
    deletion_url: str = ""
    api_version: str = "v26.0"
    app_name: str = "Selify"
    # Which servers' images the stand-in may fetch is not restricted: it only ever runs locally.
    fetch_timeout: float = 10.0
    delivery_timeout: float = 5.0
    retry_delays: tuple[float, ...] = FAST_RETRIES
    lanes: int = 8
    cdn_lifetime: float = 3 * DAY
    separate_comment_ids_percent: int = 100
    limits: Limits = field(default_factory=Limits)
    seed: int | None = None
