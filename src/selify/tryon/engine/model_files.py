"""The networks' files. ``selify.assets`` puts them in place and checks them."""

from pathlib import Path


class ModelsMissing(Exception):
    """The model files are not where they should be: run the set-up again."""


def existing(path: Path) -> Path:
    """Raises ModelsMissing, naming the file, when it is not there."""
    if not path.is_file():
        raise ModelsMissing(f"{path} is missing. Run the set-up again: it downloads the file.")
    return path


def unreadable(path: Path) -> ModelsMissing:
    """What to raise when a network cannot be made of the file."""
    return ModelsMissing(f"{path} cannot be read. Delete it and run the set-up again.")
