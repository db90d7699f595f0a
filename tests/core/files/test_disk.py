"""The data directory is its owner's alone, whatever it was made with."""

import os
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from selify.core.files import disk


@pytest.fixture(autouse=True)
def umask():
    """As careless as can be; and the tests after these have their own again."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    found = [folder, *folder.rglob("*")]
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode)
        for path in found
        if not path.is_symlink()
    }


def wide(folder: Path) -> None:
    (folder / "files" / "workspaces").mkdir(parents=True, mode=0o777)
    (folder / "secret.key").write_text("k1:…")
    (folder / "files" / "workspaces" / "photo.jpg").write_bytes(b"a person")
    (folder / "backup.sh").touch(mode=0o755)


def test_what_was_open_is_closed_and_said_so(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    wide(folder)
    with capture_logs() as logs:
        disk.claim(folder)
    assert modes(folder) == {
        ".": 0o700,
        "files": 0o700,
        "files/workspaces": 0o700,
        "files/workspaces/photo.jpg": 0o600,
        "secret.key": 0o600,
        "backup.sh": 0o700,
    }
    [said] = logs
    assert said["log_level"] == "warning"
    assert (said["folder"], said["files_and_folders"]) == (str(folder), 6)
    with capture_logs() as logs:
        disk.claim(folder)
    assert logs == [], "once"


def test_what_is_made_afterwards_is_closed_from_the_first_moment(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    disk.claim(folder)
    wide(folder)
    assert {mode & disk.OTHERS for mode in modes(folder).values()} == {0}


def test_links_lead_nowhere(tmp_path: Path) -> None:
    """A link in the data directory does not make what it names ours."""
    outside = tmp_path / "holiday.jpg"
    outside.touch(mode=0o644)
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "link.jpg").symlink_to(outside)
    (folder / "dangling").symlink_to(folder / "nowhere")
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)
    disk.claim(folder)
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_databases_own_user_may_pass_and_nothing_more(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    database = folder / "journey" / "postgres"
    (folder / "files").mkdir(mode=0o711, parents=True)
    database.mkdir(mode=0o755, parents=True)
    os.chown(database, 12_345, 12_345)
    for above in (folder, folder / "journey"):
        above.chmod(0o755)
    disk.claim(folder)
    assert modes(folder) == {
        ".": 0o711,
        "files": 0o700,
        "journey": 0o711,
        "journey/postgres": 0o700,
    }
