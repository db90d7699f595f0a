"""What PostgreSQL refuses, as refusals of ours."""

import asyncpg

from selify.core import errors
from selify.core.database import DatabaseBusy, DatabaseUnavailable
from selify.core.files import disk
from selify.core.language import _, stored


def from_database(error: BaseException) -> errors.SelifyError:
    """What PostgreSQL refuses is a refusal of ours, in words of ours."""
    if said := _about_the_disk(error):
        return said
    match error:
        case asyncpg.InsufficientPrivilegeError():
            return errors.Forbidden(_("Your role does not allow this."))
        case asyncpg.UniqueViolationError():
            return errors.Conflict(_("Something like this exists already."))
        case asyncpg.ForeignKeyViolationError():
            return errors.Conflict(_("This refers to something that is not there (any more)."))
        case asyncpg.IntegrityConstraintViolationError():
            return errors.Invalid(_("Some values are not allowed together."), rule=_rule(error))
        case asyncpg.DataError():
            return errors.Invalid(_("Some values cannot be stored as they are."))
        case asyncpg.RaiseError():
            return errors.Conflict(stored(str(error)))
        case (
            asyncpg.InterfaceError()
            | asyncpg.InternalClientError()
            | asyncpg.PostgresConnectionError()
        ):
            return DatabaseUnavailable(_("The database does not answer. Please try again."))
        # The last three say that somebody else was there first, or that this server is a standby
        # now: the same request may well succeed in a moment.
        case (
            asyncpg.OperatorInterventionError()
            | asyncpg.InsufficientResourcesError()
            | asyncpg.TransactionRollbackError()
            | asyncpg.LockNotAvailableError()
            | asyncpg.ReadOnlySQLTransactionError()
        ):
            return DatabaseBusy(
                _("This took longer than the database may spend on it. Nothing was changed."),
                hint=_("Please try again in a moment."),
            )
        case _:
            return errors.SelifyError(_("Something unexpected happened. It has been logged."))


def _about_the_disk(error: BaseException) -> errors.SelifyError | None:
    """The server files a disk that is read-only under missing privileges, a full one under busy."""
    kind = disk.trouble(error)
    if isinstance(error, asyncpg.DiskFullError):
        kind = disk.DiskFull
    if kind is disk.DiskFull and isinstance(error, OSError | asyncpg.PostgresError):
        return disk.DiskFull(
            _("Nothing more can be stored: the disk is full."), hint=disk.FREE_SOME
        )
    if kind is disk.DiskReadOnly and isinstance(error, asyncpg.PostgresError):
        return disk.DiskReadOnly(_("The database's disk is read-only."), hint=disk.MAKE_WRITABLE)
    return None


def _rule(error: BaseException) -> str:
    return str(getattr(error, "constraint_name", None) or "")
