"""Bring the catalogues of ``src/selify/locale`` up to date with what the program says.

    .venv/bin/python tools/words.py

A new message stands there without a translation, a changed one too (nothing is guessed), and what is
said no more is gone. ``tests/dash/test_words.py`` fails until every message is translated.
"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).parents[1] / "src" / "selify"
TEMPLATES = "*/templates/**.html"
METHODS = [("**.py", "python"), (TEMPLATES, "jinja2")]
# The names by which a message is marked, with the places of one and many.
KEYWORDS = {"_": None, "N_": None, "_n": (1, 2), "gettext": None, "ngettext": (1, 2)}
HEADER = "# What Selify says, in {name}. Brought up to date by tools/words.py.\n\n"

Message = str | tuple[str, ...]


def messages() -> list[Message]:
    """Everything the program says, in English; one and many where there are two forms."""
    found = extract_from_dir(
        SOURCE, METHODS, options_map={TEMPLATES: {"silent": "false"}}, keywords=KEYWORDS
    )
    return list(dict.fromkeys(message for _file, _line, message, _comments, _context in found))


def update(path: Path) -> None:
    """Messages in the order in which the program says them."""
    with path.open("rb") as file:
        known = read_po(file, locale=path.parts[-3])
    made = Catalog(locale=known.locale, fuzzy=False)
    for message in messages():
        old = known.get(message if isinstance(message, str) else message[0])
        made.add(message, old.string if old and old.id == message else None)
    with path.open("wb") as file:
        file.write(HEADER.format(name=known.locale.english_name).encode())
        write_po(file, made, width=100, omit_header=True)


if __name__ == "__main__":
    for catalogue in SOURCE.glob("locale/*/LC_MESSAGES/selify.po"):
        update(catalogue)
