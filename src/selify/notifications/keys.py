"""How the keys of notices look: put together here, and taken apart nowhere."""

from collections.abc import Callable
from uuid import UUID

# Of a workspace and of what it is told once (``dedupe_key``).
notice: Callable[[UUID, str], str] = "{}/{}".format
# What a workspace is told stays in order.
workspace: Callable[[UUID], str] = "notice/{}".format
