"""Pictures: stored as files, handed out under signed links that expire, drawn when needed."""

import math
import time
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from selify_sandbox.instagram.config import SandboxConfig
from selify_sandbox.instagram.state import ids
from selify_sandbox.instagram.state.signatures import cdn_signature
from selify_sandbox.instagram.state.store import Tx

MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"%PDF", "application/pdf"),
)
GROUNDS = ("#d8e4dc", "#e9dccb", "#d5dfea", "#ead6d6", "#e2dcec", "#e8e3c8", "#d3e3e6")
SKINS = ("#f2cfb4", "#e0ac82", "#c98d61", "#9a6440", "#6e452d")
HAIRS = ("#2b2320", "#5a3a24", "#8c5a2e", "#c79a52", "#3d3f46", "#7d2f22")
CLOTHES = ("#3f6f64", "#b5563c", "#3c5f92", "#7a4b78", "#caa13c", "#4a4f57")
SCALE = 4


def sniff(data: bytes) -> str:
    """Content type from the first bytes, never from what somebody claims."""
    for start, content_type in MAGIC:
        if data.startswith(start):
            return content_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:12] in {b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"}:
        return "image/avif" if data[8:12] == b"avif" else "image/heic"
    return "application/octet-stream"


class Pictures:
    """Files in one folder; the ``files`` table says which of them may still be seen."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._folder = config.data_dir / "files"
        self._folder.mkdir(parents=True, exist_ok=True)

    def save(self, data: bytes) -> str:
        """Write the bytes exactly as they came; the id they are known by from now on."""
        file_id = ids.file_id()
        part = self._folder / f"{file_id}.part"
        part.write_bytes(data)
        part.rename(self.path(file_id))
        return file_id

    def path(self, file_id: str) -> Path:
        """Where a stored file lies."""
        return self._folder / file_id

    def register(self, tx: Tx, file_id: str) -> None:
        """Make a saved file known in the same transaction as whatever shows it."""
        path = self.path(file_id)
        with path.open("rb") as stream:
            content_type = sniff(stream.read(16))
        tx.run(
            "INSERT INTO files (id, content_type, size) VALUES (?, ?, ?)",
            file_id,
            content_type,
            path.stat().st_size,
        )

    def kill(self, tx: Tx, file_id: str) -> None:
        """The content was deleted: every link to it dies, and the bytes go."""
        tx.run("UPDATE files SET alive = 0 WHERE id = ?", file_id)
        self.path(file_id).unlink(missing_ok=True)

    def link(self, file_id: str, *, absolute: bool = False, lifetime: float | None = None) -> str:
        """A signed link; absolute for the wire, relative for our own pages."""
        life = lifetime or self._config.cdn_lifetime
        # Rounded, so that a page refreshed within the hour shows the very same link.
        step = int(min(3600, max(1, life // 20)))
        expires = math.ceil((time.time() + life) / step) * step
        signature = cdn_signature(file_id, expires, self._config.app_secret)
        base = self._config.public_url.rstrip("/") if absolute else ""
        return f"{base}/cdn/{file_id}?exp={expires}&sig={signature}"


def _choice(seed: str) -> Callable[[tuple[str, ...]], str]:
    digest = iter(sha256(f"look:{seed}".encode()).digest())
    return lambda options: options[next(digest) % len(options)]


def draw_avatar(seed: str, size: int = 160) -> bytes:
    """A small drawn portrait (PNG), always the same for the same name."""
    pick = _choice(seed)
    ground, skin, hair, cloth = pick(GROUNDS), pick(SKINS), pick(HAIRS), pick(CLOTHES)
    style = sha256(seed.encode()).digest()[9] % 3
    unit = size * SCALE / 100
    image = Image.new("RGB", (size * SCALE, size * SCALE), ground)
    draw = ImageDraw.Draw(image)

    def ellipse(x: float, y: float, rx: float, ry: float, fill: str) -> None:
        box = ((x - rx) * unit, (y - ry) * unit, (x + rx) * unit, (y + ry) * unit)
        draw.ellipse(box, fill=fill)

    if style == 0:  # long hair falls behind the shoulders
        ellipse(50, 47, 25, 29, hair)
        draw.rectangle((25 * unit, 47 * unit, 75 * unit, 78 * unit), fill=hair)
    ellipse(50, 104, 36, 34, cloth)
    draw.rectangle((43 * unit, 58 * unit, 57 * unit, 76 * unit), fill=skin)
    ellipse(50, 75, 9, 6, skin)
    if style == 1:  # a bun
        ellipse(50, 19, 10, 9, hair)
    ellipse(50, 39, 21, 20 if style else 22, hair)
    ellipse(50, 48, 17.5, 20.5, skin)
    draw.pieslice((32 * unit, 26 * unit, 68 * unit, 58 * unit), 180, 360, fill=hair)
    ellipse(43, 49, 1.8, 2.2, "#2b2320")
    ellipse(57, 49, 1.8, 2.2, "#2b2320")
    draw.arc((43 * unit, 50 * unit, 57 * unit, 61 * unit), 25, 155, fill="#7c3f34", width=int(unit))
    return _png(image, size)


def draw_shop_sign(seed: str, letter: str, size: int = 160) -> bytes:
    """A shop's round sign: its initial on a quiet colour (PNG)."""
    pick = _choice(seed)
    cloth = pick(CLOTHES)
    image = Image.new("RGB", (size * SCALE, size * SCALE), cloth)
    draw = ImageDraw.Draw(image)
    edge = size * SCALE
    draw.ellipse(
        (edge * 0.09, edge * 0.09, edge * 0.91, edge * 0.91), outline="#ffffff66", width=edge // 80
    )
    draw.text(
        (edge / 2, edge / 2),
        letter[:1].upper() or "?",
        "#ffffff",
        anchor="mm",
        font_size=edge * 0.5,
    )
    return _png(image, size)


def _png(image: Image.Image, size: int) -> bytes:
    out = BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()
