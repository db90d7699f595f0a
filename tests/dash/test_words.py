"""Every word a person reads stands in the catalogue, in German as well, and nowhere else."""

import ast
import re
import runpy
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from string import ascii_letters

import pytest
from babel.messages.pofile import read_po
from jinja2 import nodes
from tests.dash.conftest import Brand

from selify.app import WINGS
from selify.core import language
from selify.core.errors import SelifyError
from selify.dash import words
from selify.dash.environment import STATIC
from selify.dash.shell import Shell
from selify.permissions_reference import PERMISSIONS

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "words.py"))
SOURCE: Path = TOOL["SOURCE"]
GERMAN = SOURCE / "locale" / "de" / "LC_MESSAGES" / "selify.po"
GAPS = re.compile(r"%\(\w+\)s|%%|</?[a-z]+[^>]*>")
SHELL = Shell.of(WINGS)
# The components are shown to whoever builds pages with them.
TEMPLATES = sorted(
    {*SOURCE.glob("*/templates/**/*.html")} - {SOURCE / "dash/templates/vocabulary.html"}
)
ROOMS = (
    "/",
    "/conversations",
    "/posts",
    "/wardrobe",
    "/accounts",
    "/engines",
    "/billing",
    "/settings",
    "/notifications",
)
# Read in a terminal or a log by whoever runs the server, or by another program.
FOR_OPERATORS = (
    "app.py", "assets.py", "backup/", "billing/price_book.py", "cli.py", "core/settings.py",
    "core/web/listening.py", "db/", "supervisor.py", "tryon/own_engine.py", "vendors/engines.py",
    "vendors/fal/", "vendors/gemini/", "vendors/instagram/payloads.py",
    "vendors/instagram/signed_request.py", "vendors/instagram/webhook", "vendors/replicate/",
)  # fmt: skip


# --- The catalogue --------------------------------------------------------------------------------


def test_the_german_catalogue_is_complete() -> None:
    with GERMAN.open("rb") as file:
        catalogue = read_po(file, locale="de")
    entries = [entry for entry in catalogue if entry.id]
    assert [entry.id for entry in entries] == TOOL["messages"](), "run tools/words.py"
    assert not catalogue.obsolete
    assert not [entry.id for entry in entries if entry.fuzzy]
    assert not [entry.id for entry in entries if not all(_forms(entry.string))]


def test_a_translation_has_the_gaps_and_the_marks_of_its_message() -> None:
    with GERMAN.open("rb") as file:
        entries = [entry for entry in read_po(file, locale="de") if entry.id]
    wrong = [
        entry.id
        for entry in entries
        for english, text in zip(_forms(entry.id), _forms(entry.string), strict=True)
        if sorted(GAPS.findall(text)) != sorted(GAPS.findall(english))
    ]
    assert not wrong
    # It may stand in an attribute.
    assert not [entry.id for entry in entries for text in _forms(entry.string) if _cuts(text)]


def _forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


def _cuts(text: str) -> bool:
    return '"' in text and "<" not in text


def test_the_file_is_as_the_tool_writes_it(tmp_path: Path) -> None:
    copy = tmp_path / "de" / "LC_MESSAGES" / "selify.po"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(GERMAN.read_bytes())
    TOOL["update"](copy)
    assert copy.read_text() == GERMAN.read_text(), "run tools/words.py"


# --- No words beside it ---------------------------------------------------------------------------

SHOWN = ("alt", "aria-label", "aria-description", "placeholder", "title")
TRANS = re.compile(r"\{% trans\b.*?endtrans %\}", re.DOTALL)
CONTROL = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


class Texts(HTMLParser):
    """What of a page is read: its texts, and the attributes that are shown or read out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "code")
        self.texts += [value or "" for name, value in attrs if name in SHOWN]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "code")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(" ".join(data.split()))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_template_says_nothing_by_itself(path: Path) -> None:
    source = path.read_text()
    left = [text.strip(" ·") for text in Texts(CONTROL.sub("", TRANS.sub("", source))).texts]
    allowed = {"Selify", "https://…"}
    said = [text for text in left if re.search("[A-Za-z]{2}", text) and text not in allowed]
    # What is left of a tag whose name is filled in is no text.
    assert not [text for text in said if '="' not in text]
    assert not list(_bare(SHELL.templates.parse(TRANS.sub("", source))))


def _bare(node: nodes.Node) -> Iterator[str]:
    """Sentences and titles in the template's expressions that no call of ``_`` holds."""
    match node:
        case nodes.Call(node=nodes.Name(name="_" | "_n")):
            return
        case nodes.Const(value=str(text)) if re.fullmatch(r"[A-Z][a-z’]+([ ,.].*)?", text):
            yield text
    for child in node.iter_child_nodes():
        yield from _bare(child)


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_a_script_says_nothing_by_itself(path: Path) -> None:
    code = re.sub(r"//.*", "", path.read_text())
    texts = [text for pair in re.findall(r'"([^"\n]*)"|>([^<`\'"]*)<', code) for text in pair]
    said = [text for text in texts if re.match(r"[A-Z][a-z]+($|[ .…])", text)]
    assert set(said) <= {"Escape"}


def test_the_script_says_only_what_it_is_given() -> None:
    code = (STATIC / "selify.js").read_text()
    assert set(re.findall(r"\bSAY\.(\w+)", code)) == set(words.SCRIPT)


def test_whatever_is_refused_is_refused_in_the_readers_language() -> None:
    """Detail, hint and title of every refusal that may reach a page or the API."""
    kinds = {kind.__name__ for kind in _kinds(SelifyError)}
    plain = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name.startswith(FOR_OPERATORS) or path.name == "commands.py":
            continue
        plain += [f"{name}:{text.lineno}" for text in _texts(ast.parse(path.read_text()), kinds)]
    assert not plain


def test_a_notice_is_written_in_its_readers_language() -> None:
    plain = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) == "notify_workspace":
                said = [part.value for part in node.keywords if part.arg in ("title", "body")]
                plain += [f"{path.name}:{text.lineno}" for one in said for text in _bare_texts(one)]
    assert not plain


def test_what_a_permission_allows_is_said_in_the_readers_language() -> None:
    assert not [
        one.name for one in PERMISSIONS.values() if not isinstance(one.purpose, language.Message)
    ]


@pytest.mark.parametrize("name", FOR_OPERATORS)
def test_what_is_for_operators_is_there(name: str) -> None:
    assert list(SOURCE.glob(f"{name}*"))


def _kinds(kind: type[SelifyError]) -> Iterator[type[SelifyError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _kinds(one)


def _texts(tree: ast.Module, kinds: set[str]) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in kinds - {"SettingsWrong"}:
            hints = [keyword.value for keyword in node.keywords if keyword.arg == "hint"]
            for argument in (*node.args[:1], *hints):
                yield from _bare_texts(argument)
        if isinstance(node, ast.ClassDef) and node.name in kinds - {"SettingsWrong"}:
            for line in node.body:
                if isinstance(line, ast.Assign) and "title" in ast.unparse(line.targets[0]):
                    named = line.value.elts[-1] if isinstance(line.value, ast.Tuple) else line.value
                    yield from _bare_texts(named)


def _bare_texts(value: ast.expr) -> Iterator[ast.expr]:
    match value:
        case ast.Constant(value=str(text)) if set(text) & set(ascii_letters):
            yield value
        case ast.JoinedStr():
            yield value
        case ast.IfExp():
            yield from _bare_texts(value.body)
            yield from _bare_texts(value.orelse)


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


# --- In German, page by page ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    """What of each message stands on a page as it is, by the message: all of it, or what is between
    its gaps. Only where German says it differently.
    """
    with GERMAN.open("rb") as file:
        entries = [entry for entry in read_po(file, locale="de") if entry.id]
    pieces = {}
    for entry in entries:
        for one in _forms(entry.id):
            fixed = max(GAPS.split(one), key=len).strip()
            if len(fixed) > 3 and fixed not in " ".join(_forms(entry.string)):
                pieces[one] = fixed
    return pieces


def english_in(html: str, english: dict[str, str]) -> set[str]:
    texts = Texts(html).texts
    everything = "\n".join(texts)
    return {
        message
        for message, fixed in english.items()
        if fixed in texts or (len(fixed.split()) > 3 and fixed in everything)
    }


@pytest.mark.parametrize("path", ROOMS)
async def test_no_page_in_german_says_anything_in_english(
    brand: Brand, path: str, english: dict[str, str]
) -> None:
    await brand.hear("Ich möchte das anprobieren")
    await brand.charge()
    await brand.owner.post("/language", language="de")
    page = await brand.owner.look(brand.at(path))
    assert '<html lang="de">' in page
    assert not english_in(page, english)


@pytest.mark.parametrize("name", sorted(SHELL.parts))
async def test_no_part_in_german_says_anything_in_english(
    brand: Brand, name: str, english: dict[str, str]
) -> None:
    await brand.owner.post("/language", language="de")
    part = await brand.owner.look(f"{brand.at(f'/fragments/{name}')}&account={brand.account_id}")
    assert not english_in(part, english)


async def test_what_opens_on_top_of_a_page_is_german(brand: Brand, english: dict[str, str]) -> None:
    await brand.owner.post("/language", language="de")
    charge = await brand.charge()
    for path in (
        f"/posts/{brand.post_id}/garment",
        f"/posts/{brand.post_id}/keywords",
        f"/billing/charges/{charge}",
    ):
        page = await brand.owner.look(brand.at(path))
        assert not english_in(page, english), path
    # Shoppers' texts have a language of their own.
    texts = brand.at(f"/accounts/{brand.account_id}/texts")
    assert not english_in(await brand.owner.look(f"{texts}&language=de"), english)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/docs", "/nowhere"])
async def test_the_doors_are_german_for_a_german_browser(
    site, path: str, english: dict[str, str]
) -> None:
    async with site.visitor(**{"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}) as visitor:
        page = await visitor.get(path)
    assert '<html lang="de">' in page.text
    assert not english_in(page.text, english)


async def test_a_refusal_is_german_where_the_page_is(brand: Brand, english: dict[str, str]) -> None:
    await brand.owner.post("/language", language="de")
    by_script = await brand.owner.post(brand.at("/wardrobe"), script=True, price="teuer")
    assert "Ein Preis sieht aus wie 39 oder 39,90." in by_script.text
    whole = await brand.owner.post(brand.at("/settings/delete"), name="?")
    assert whole.status_code == 422
    assert not english_in(whole.text, english)


def test_english_that_is_left_would_be_found(english: dict[str, str]) -> None:
    left = english_in("<p>Abmelden</p><p>Sign out</p><b>12 of 40 messages today</b>", english)
    assert left == {"Sign out"}
    assert english_in("<i>The bot of @x is switched off.</i>", english)
    assert language.LANGUAGES == ("en", "de")
