"""What a newcomer is told to type and to use is there."""

import re

from tests.docs.test_docs import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
FIXTURE = r"@pytest(?:_asyncio)?\.fixture(?:\([^)]*\))?\n(?:async )?def (\w+)\("


def test_each_fixture_is_where_it_is_said_to_be() -> None:
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert len(rows) >= 10
    for names, places in rows:
        sources = [(ROOT / place).read_text() for place in re.findall(r"`([^`]+)`", places)]
        there = {name for source in sources for name in re.findall(FIXTURE, source)}
        assert set(re.findall(r"`(\w+)`", names)) <= there, names


def test_each_test_that_is_named_can_be_run() -> None:
    lines = re.findall(r"-m pytest (.+?)(?: +#|$)", PAGE, re.MULTILINE)
    assert len(lines) >= 7
    for line in lines:
        for path, name in re.findall(r"(tests/[\w./]+)(?:::(\w+))?", line):
            assert (ROOT / path).exists(), line
            assert not name or f"def {name}(" in (ROOT / path).read_text(), line
        for path, word in re.findall(r"(tests/[\w./]+) -k (\w+)", line):
            assert re.search(rf"def test_\w*{word}", (ROOT / path).read_text()), line
        for marker in re.findall(r"-m \"([^\"]+)\"", line):
            known = (ROOT / "pyproject.toml").read_text()
            assert all(f'"{word}:' in known for word in re.findall(r"not (\w+)", marker))
