"""Everything of a brand in one file, and back: the database, the stored files, never a key.

Owns the form of that file (``archive.py``); needs the database, the storage, and of each wing where it keeps what is
sealed (``core/wiring.Sealed``).
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
