"""Instagram (Instagram Login flavour): our side of the wire, and nothing about try-ons.

* coming in: ``webhook`` (handshake, signature, a delivery taken apart), ``webhook_events`` (the typed
  events), ``signed_request`` (app removed, data to delete), ``media_hosts`` (what may be fetched)
* going out: ``client`` (Graph API), ``oauth`` (consent and tokens), ``payloads`` and ``text`` (messages
  within limits), ``errors`` (what went wrong and what to do)
"""

from selify.vendors.instagram.client import InstagramClient
from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.errors import Action, GraphError, Verdict
from selify.vendors.instagram.media_hosts import is_instagram_cdn
from selify.vendors.instagram.oauth import InstagramOAuth, Token

__all__ = [
    "Action",
    "GraphError",
    "InstagramClient",
    "InstagramConfig",
    "InstagramOAuth",
    "Token",
    "Verdict",
    "is_instagram_cdn",
]
