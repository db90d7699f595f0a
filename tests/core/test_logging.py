"""What a person reads in the terminal, and what a machine reads from the same line."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging
from selify.core import logging as ours
ours.configure(as_json={as_json}, part="worker")
log = ours.get_logger("selify.test")
log.info("{{shopper}} said {{what}} about {{nothing}}", shopper="mia", what="a\\x1b[31m\\nb", kind="photo")
for noisy in ("alembic.runtime.migration", "uvicorn.error"):
    logging.getLogger(noisy).info("chatter with {{braces}}")
logging.getLogger("uvicorn.error").error("a failure with {{shopper}}")
try:
    raise ValueError("cannot read 'https://cdn.example/photos/ana.jpg?asset=1&signature=s3cret'")
except ValueError:
    log.exception("failed", at="https://cdn.example/?signature=s3cret", ours="http://127.0.0.1:80/x")
"""


def said(*, as_json: bool) -> list[str]:
    """The lines of a process of its own: logging is set up once per process."""
    program = PROGRAM.format(as_json=as_json)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stderr.splitlines()


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return said(as_json=False)


def test_a_sentence_is_filled_in_and_its_values_are_not_told_twice(lines: list[str]) -> None:
    assert "mia said a [31m b about {nothing}" in lines[0]
    assert "shopper=" not in lines[0]
    assert "kind=photo" in lines[0]


def test_nobody_s_name_starts_a_line_or_steers_the_terminal(lines: list[str]) -> None:
    assert "\x1b" not in "".join(lines)
    assert sum("shopper" in line or "mia" in line for line in lines) == 2


def test_what_others_chat_about_is_not_heard_but_their_errors_are(lines: list[str]) -> None:
    assert "chatter" not in "".join(lines)
    assert "a failure with {shopper}" in lines[1]


def test_as_json_the_sentence_stays_to_be_counted_beside_its_values() -> None:
    line = json.loads(said(as_json=True)[0])
    assert line["event"] == "{shopper} said {what} about {nothing}"
    assert (line["shopper"], line["part"], line["level"]) == ("mia", "worker", "info")


@pytest.mark.parametrize("as_json", [True, False])
def test_no_line_opens_somebodys_photo(as_json: bool) -> None:
    told = "\n".join(said(as_json=as_json))
    assert "s3cret" not in told
    assert "ana.jpg" not in told
    assert told.count("https://cdn.example/") >= 2
    assert "http://127.0.0.1:80/x" in told
