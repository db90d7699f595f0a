"""Instagram stand-in: speaks the true wire protocol, with a phone to play the shopper on.

Owns nothing of the product: an independent implementation of the vendor's documented behaviour,
used by the demo, the tests and the chaos run. ``create_app`` builds it, ``serve`` runs it as a
process, ``SandboxDriver`` acts in it by HTTP.
"""

from selify_sandbox.instagram.app import create_app
from selify_sandbox.instagram.config import FAST_RETRIES, Limits, SandboxConfig
from selify_sandbox.instagram.driver import SandboxDriver
from selify_sandbox.instagram.serve import serve

__all__ = ["FAST_RETRIES", "Limits", "SandboxConfig", "SandboxDriver", "create_app", "serve"]
