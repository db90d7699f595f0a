"""What a row of a queue carries: a typed model, of a version that can be told."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict


class Payload(BaseModel):
    """Stored as JSON beside its ``version``; what equals its default is left out.

    A row may be read by a newer program than the one that wrote it. Whoever changes what a field means
    counts the version up and says in ``upgrade`` how the older form is read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    # Of a job: members that say something of a person, and are blank once nobody needs it any more.
    personal: ClassVar[frozenset[str]] = frozenset()

    version: int = 1

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Raises pydantic's ValidationError for what no version of this program wrote."""
        return cls.model_validate(cls.upgrade(stored))

    @classmethod
    def upgrade(cls, stored: Mapping[str, Any]) -> Mapping[str, Any]:
        """An older version's form in today's."""
        return stored

    def stored(self) -> dict[str, Any]:
        return {**self.model_dump(mode="json", exclude_defaults=True), "version": self.version}
