"""How the database is reached, and how long it may take. Light, because the settings need it."""

from dataclasses import dataclass

LOGIN_ROLE = "selify_login"
SERVER_GIVES_UP_FIRST = 5.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """One database, for two kinds of users: who owns the schema, and who only works with it."""

    owner: str
    login: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a pool's transactions may take, in seconds; 0: as long as they need.

    ``statement``: one statement. ``lock``: waiting for somebody else's. ``idle``: an open
    transaction in which nothing is asked; its connection is closed.
    """

    statement: float = 0
    lock: float = 0
    idle: float = 0

    @property
    def settings(self) -> dict[str, str]:
        """As PostgreSQL takes them, in milliseconds. Said also where there is none: the database or
        the role may have its own.
        """
        named = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return {name: str(round(seconds * 1000)) for name, seconds in named.items()}

    @property
    def patience(self) -> float | None:
        """How long this side waits for an answer: the server gives up first."""
        return self.statement + SERVER_GIVES_UP_FIRST if self.statement else None


UNLIMITED = Limits()
