"""What several tests look at, so that none can change what the others see."""

from dataclasses import fields, is_dataclass
from typing import TypeVar

import numpy as np

Found = TypeVar("Found")


def read_only(found: Found) -> Found:
    """The same, an array or a dataclass, with arrays that cannot be written to."""
    if isinstance(found, np.ndarray):
        found.setflags(write=False)
    elif is_dataclass(found):
        for field in fields(found):
            read_only(getattr(found, field.name))
    elif isinstance(found, tuple | list):
        for one in found:
            read_only(one)
    return found
