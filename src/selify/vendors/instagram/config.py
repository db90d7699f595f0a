"""What the Instagram adapter must be told. Built by the composition root, never from settings here."""

import re
from dataclasses import dataclass, field
from datetime import timedelta

COMMENTS_SCOPE = "instagram_business_manage_comments"
MESSAGES_SCOPE = "instagram_business_manage_messages"
SCOPES = (
    "instagram_business_basic",
    MESSAGES_SCOPE,
    COMMENTS_SCOPE,
    "instagram_business_manage_insights",
)

# An account with any subscription receives every field the app selected in the dashboard; naming
# them all here keeps the dashboard and the parser in step.
WEBHOOK_FIELDS = (
    "comments",
    "live_comments",
    "messages",
    "message_echoes",
    "message_reactions",
    "message_edit",
    "messaging_postbacks",
    "messaging_referral",
    "messaging_seen",
    "messaging_optins",
    "messaging_handover",
    "standby",
)

_COMMENT_FIELDS = ("comments", "live_comments")

_VERSION = re.compile(r"v\d{1,3}\.\d{1,2}")


def scope_of(field: str) -> str:
    """The permission without which no event of this webhook field comes."""
    return COMMENTS_SCOPE if field in _COMMENT_FIELDS else MESSAGES_SCOPE


@dataclass(frozen=True, slots=True, kw_only=True)
class InstagramConfig:
    """One Instagram app (Instagram Login), its three hosts, and how long we wait for them.

    ``app_id`` and ``app_secret`` are the *Instagram* app's, not the Meta app's around it.
    ``previous_secrets`` may still sign webhooks while a secret is rotated.
    ``media_hosts`` are further ``host`` or ``host:port`` from which shoppers' media may be fetched
    (a stand-in's), over plain HTTP too.
    """

    app_id: str
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    previous_secrets: tuple[str, ...] = field(default=(), repr=False)
    www_url: str = "https://www.instagram.com"
    api_url: str = "https://api.instagram.com"
    graph_url: str = "https://graph.instagram.com"
    version: str = "v26.0"
    scopes: tuple[str, ...] = SCOPES
    webhook_fields: tuple[str, ...] = WEBHOOK_FIELDS
    media_hosts: tuple[str, ...] = ()
    connect_timeout: timedelta = timedelta(seconds=5)
    read_timeout: timedelta = timedelta(seconds=20)
    total_timeout: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        if not (self.app_id and self.app_secret and self.verify_token):
            raise ValueError("the Instagram app needs its id, its secret and a verify token")
        if not _VERSION.fullmatch(self.version):
            raise ValueError(f"the Graph version looks like v26.0, not {self.version!r}")
        for url in (self.www_url, self.api_url, self.graph_url):
            if not url.startswith(("https://", "http://")) or url.endswith("/"):
                raise ValueError(
                    f"a base address starts with http(s):// and has no end slash: {url}"
                )

    @property
    def media_host_names(self) -> tuple[str, ...]:
        """Without their ports."""
        return tuple(entry.rpartition(":")[0] or entry for entry in self.media_hosts)

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """Every secret whose signature we accept, the current one first."""
        return (self.app_secret, *filter(None, self.previous_secrets))
