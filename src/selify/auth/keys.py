"""How the keys of the job look that deletes a workspace: put together here, and taken apart nowhere."""

from collections.abc import Callable
from uuid import UUID

# Of a workspace and the moment it was deleted at, as ISO 8601 has it.
deletion: Callable[[UUID, str], str] = "{}/{}".format
# And of the job before, which gave up. Not its key and more: it would grow until no index takes it.
deletion_again: Callable[[UUID, str, UUID], str] = "{}/{}/{}".format
