"""What is kept of a person who has an account, said by the wing that keeps it.

A wing offers a ``PersonalPart`` when it opens (``Container.offer``); ``auth/personal`` asks all of them, when somebody
wants to have everything about themselves, and when they want to be forgotten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalPart:
    """``told``: by what it is called, a SELECT of what is kept of the person $1: no secrets, and of other people no
    addresses. ``forget``: statements about the person $1, at the time $2 where they say one, for what neither goes with the account nor
    may stay as it is. They come again after a crash.
    """

    told: Mapping[str, str] = field(default_factory=dict)
    forget: Sequence[str] = ()
