"""Every address of an app, and whom it says it is for."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from selify.core.permissions import Access, access_of


@dataclass(frozen=True, slots=True)
class Address:
    method: str
    path: str
    access: Access | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def addresses(app: FastAPI) -> Iterator[Address]:
    """Of endpoints and pages, in the order of their routes. (What is mounted are static files.)"""
    for found in iter_route_contexts(app.routes):
        if isinstance(found.original_route, APIRoute):
            for method in sorted(found.methods or ()):
                yield Address(method, found.path or "", access_of(found.endpoint))
