"""How keys of what auth queues look: put together here, and taken apart nowhere."""

from collections.abc import Callable
from uuid import UUID

# Of a workspace and the moment it was deleted at, as ISO 8601 has it.
deletion: Callable[[UUID, str], str] = "{}/{}".format
# And of the job before, which gave up. Not its key and more: it would grow until no index takes it.
deletion_again: Callable[[UUID, str, UUID], str] = "{}/{}/{}".format
# Of a mail about an account. What asks for one happens once, and so does its transaction: any id will do.
mail: Callable[[UUID], str] = "account/{}".format
# Of a file with everything about a person.
export: Callable[[UUID], str] = "export/{}".format
# Of an erasure: of a person and the moment they asked; and of the job before, which gave up.
erasure: Callable[[UUID, str], str] = "{}/{}".format
erasure_again: Callable[[UUID, str, UUID], str] = "{}/{}/{}".format
# Of telling owners for the nth time to look at an API key.
key_review: Callable[[UUID, int], str] = "api key/{}/{}".format
