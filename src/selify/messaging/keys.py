"""How the keys of messages look: put together here, and taken apart nowhere else.

A key names what is answered, so that asking twice does nothing. An ordering key names what stays in order. An
id of ours comes first and is always as long; one of a platform's may hold any character, and comes after it.
"""

from collections.abc import Callable
from uuid import UUID

_SOME_ID = UUID(int=0)

# Of an account: what is said to its people. The second part is the client's own, mostly an ``answer``.
message: Callable[[UUID | None, str], str] = "{}/{}".format
# Of a kind of answer, and of their message that is answered; and one of several such answers.
answer: Callable[[str, str], str] = "{}/{}".format
numbered_answer: Callable[[str, str, int], str] = "{}/{}/{}".format
# Of an account and a comment.
private_reply: Callable[[UUID, str], str] = "{}/comment:{}".format

# Ordering keys: of a conversation, of whoever commented and has none yet, and of what waits for nothing.
conversation: Callable[[UUID], str] = "conversation:{}".format
commenter: Callable[[UUID, str], str] = "comment:{}:{}".format
typing: Callable[[str], str] = "typing:{}".format
name: Callable[[UUID], str] = "names:{}".format
echo: Callable[[str], str] = "echo:{}".format


def account_of(key: str) -> str:
    """SQL: the account in a message's key, as text. ``key``: an expression."""
    return f"left({key}, {len(str(_SOME_ID))})"


def answered(key: str, kind: str) -> str:
    """SQL: their message in the key of an answer of this kind that has no number."""
    return f"substr({key}, {len(message(_SOME_ID, answer(kind, ''))) + 1})"
