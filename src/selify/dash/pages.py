"""The brand's pages."""

from pathlib import Path

from fastapi import FastAPI


def install(app: FastAPI, *, scripts: Path) -> None:
    """Mount pages and static files."""
