"""Everything of a brand in one file, and back: the database, the stored files, never a key.

Owns no table, but the form of that file.
Offers the names below, of which ``write`` and ``restore`` are a backup's two ways.
Needs ``db``, and of each wing where it keeps what is sealed (``Wing.sealed``).
"""

from selify.backup.archive import (
    DATABASE,
    BackupRefused,
    Contents,
    check_keys,
    read,
    restore,
    write,
)

__all__ = ["DATABASE", "BackupRefused", "Contents", "check_keys", "read", "restore", "write"]
