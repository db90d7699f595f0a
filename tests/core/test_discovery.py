"""What wings bring is found by the name of its file, and loaded without what surrounds it."""

import sys
from pathlib import Path

import pytest

from selify.core import discovery

SOURCE = Path(discovery.__file__).parents[1]


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which packages are installed, before any other."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


def written(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


def names(file: str) -> list[str]:
    return [one.name for one in discovery.found(file)]


def test_ours_are_found_however_deep_they_stand() -> None:
    found = names("settings")
    assert found.index("selify.core.settings") < found.index("selify.vendors.gemini.settings")
    assert "selify.core.queue.commands" in names("commands")


def test_a_page_may_be_called_settings() -> None:
    assert (SOURCE / "auth" / "pages" / "settings.py").exists()
    assert "selify.auth.pages.settings" not in names("settings")


def test_every_file_of_a_name_is_found() -> None:
    """So that whoever declares a table in a new ``models.py`` need not say so elsewhere."""
    files = sorted(str(path) for path in SOURCE.rglob("models.py"))
    assert sorted(one.path for one in discovery.ours("models")) == files


def test_a_package_beside_ours_is_found_behind_them(beside: Path) -> None:
    written(beside / "selify_shop", __init__="", toys="")
    written(beside / "selify_shop" / "till", __init__="", toys="")
    written(beside / "selify_folder", toys="")
    written(beside / "another", __init__="", toys="")
    assert names("toys") == ["selify_shop.toys", "selify_shop.till.toys"]
    assert [one.wing for one in discovery.beside("toys")] == ["selify_shop", "selify_shop.till"]


def test_of_a_package_that_lies_twice_the_first_on_the_path_counts(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(beside / "old" / "selify_shop", __init__="", toys="AGE = 'old'")
    written(beside / "new" / "selify_shop", __init__="", toys="AGE = 'new'")
    for folder in ("old", "no such folder", "new"):
        monkeypatch.syspath_prepend(beside / folder)
    (found,) = discovery.beside("toys")
    assert found.load().AGE == "new"


def test_a_file_is_loaded_without_its_package_and_stays_the_same(beside: Path) -> None:
    written(beside / "selify_shop", __init__="raise ValueError('heavy')", toys="class Ball: ...")
    (found,) = discovery.found("toys")
    assert found.load().Ball is found.load().Ball
    assert "selify_shop" not in sys.modules
    written(beside / "selify_shop", __init__="")
    from selify_shop.toys import Ball

    assert found.load().Ball is Ball


def test_what_cannot_be_loaded_leaves_nothing_behind(beside: Path) -> None:
    written(beside / "selify_shop", __init__="", toys="import no_such_module")
    (found,) = discovery.found("toys")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            found.load()
