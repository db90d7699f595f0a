"""What can be wrong with a database, each in one line that says what to do."""

from selify.core.errors import Conflict, Unavailable


class DatabaseError(Unavailable):
    code = "database_error"
    title = "The database cannot be used"


class DatabaseUnreachable(DatabaseError):
    code = "database_unreachable"
    title = "The database cannot be reached"


class DatabaseTooOld(DatabaseError):
    """The server is older than PostgreSQL 15."""

    code = "database_too_old"


class VectorMissing(DatabaseError):
    """The server has no pgvector, or this user may not switch it on."""

    code = "database_without_vector"


class RightsMissing(DatabaseError):
    """The user may not do what a migration needs."""

    code = "database_rights_missing"


class NotSelifyDatabase(DatabaseError):
    """The database holds tables that are not ours, or none at all."""

    code = "not_a_selify_database"


class DatabaseOutdated(DatabaseError):
    """Made by an older program and not upgraded yet."""

    code = "database_outdated"


class DatabaseNewer(DatabaseError):
    """Made by a newer program than this one."""

    code = "database_newer"


class MigrationFailed(DatabaseError):
    """A migration was refused by the database; nothing of it stays."""

    code = "migration_failed"


class DatabaseNotEmpty(DatabaseError):
    """Something is in it already, which a restore would mix with what was backed up."""

    code = "database_not_empty"


class DumpFailed(DatabaseError):
    """pg_dump or pg_restore was refused; says its own reason."""

    code = "database_dump_failed"


class EmbeddedDatabaseError(Conflict):
    """The embedded server cannot start; says why and what to do."""

    code = "embedded_database"
    title = "The embedded database cannot start"
