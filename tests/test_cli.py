"""What an operator mistypes is answered in one line that says what is wrong, and nothing is started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from selify.supervisor import free_port


def selify(*arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SELIFY_")}
    own = {"SELIFY_DATA_DIR": str(folder / "data"), "SELIFY_PORT": str(free_port())}
    return subprocess.run(
        [sys.executable, "-m", "selify", *arguments],
        env={**clean, **own, **settings},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("SELIFY_LOG_LEVEL", "loud", "'loud' is none of DEBUG, INFO"),
        ("SELIFY_STORAGE_URL", "s3bucket", "must start with file://, s3://"),
        ("SELIFY_STORAGE_URL", "file:///dev/null/files", "files cannot be kept at"),
        ("SELIFY_STORAGE_URL", "az://container", "files cannot be kept at"),
        ("SELIFY_INSTAGRAM_MEDIA_HOSTS", "cdn.example.com", "is not of the form host:port"),
        ("SELIFY_SECRET_KEYS", "nonsense", "Incorrect padding|not base64url|32 bytes"),
        ("SELIFY_HOST", "no.such.host.invalid", "Nobody can listen on no.such.host.invalid"),
        ("SELIFY_PORT", "0", "greater than or equal to 1"),
    ],
)
def test_a_mistyped_setting_is_one_clear_line(
    tmp_path: Path, setting: str, value: str, reason: str
) -> None:
    answer = selify("up", folder=tmp_path, **{setting: value})
    assert answer.returncode == 1
    problem, _advice = answer.stderr.strip().splitlines()
    assert any(words in problem for words in reason.split("|")), problem
    assert setting in answer.stderr
    assert not (tmp_path / "data" / "postgres").exists(), "nothing was started"


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path, database_url: str) -> None:
    answer = selify(
        *("db", "reference", "--output", "/no/such/folder/schema.md"),
        folder=tmp_path,
        SELIFY_DATABASE_URL=database_url,
    )
    assert answer.returncode == 1
    assert answer.stderr.strip() == "✗ /no/such/folder/schema.md: No such file or directory."


def test_rotating_says_which_keys_may_go(tmp_path: Path, database_url: str) -> None:
    """From the key the program made itself to one of the operator's."""
    settings = {"SELIFY_DATABASE_URL": database_url}
    first = selify("secrets", "rotate", folder=tmp_path, **settings)
    assert first.stdout.strip() == "0 secrets sealed with the current key, “k1”."
    new = selify("secrets", "new-key", "mine", folder=tmp_path).stdout.strip()
    answer = selify("secrets", "rotate", folder=tmp_path, SELIFY_SECRET_KEYS=new, **settings)
    sealed, advice = answer.stdout.strip().splitlines()
    assert "“mine”" in sealed
    assert advice.startswith("The old keys may be removed now: “k1” ")
    assert str(tmp_path / "data" / "secret.key") in advice
