"""``selify demo``, and the process of its phone. ``selify.cli`` finds them by the name of this file.

The demo has exit codes of its own (2: no picture, 3: nobody can be dressed). As everywhere on the
command line, each command imports what it needs by itself.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer(rich_markup_mode=None)


@commands.command(
    epilog="Examples: selify demo   ·   selify demo --photo me.jpg --garment shirt.png --out result.jpg"
)
def demo(
    photo: Annotated[
        Path | None,
        typer.Option(help="A photo of a person: runs the journey without a hand on it."),
    ] = None,
    garment: Annotated[Path | None, typer.Option(help="A picture of a garment.")] = None,
    out_path: Annotated[
        Path | None, typer.Option("--out", help="Where the picture the shopper received goes.")
    ] = None,
    category: Annotated[
        str, typer.Option(help="What the garment is: top, dress or bottom.")
    ] = "top",
) -> None:
    """Start everything with a demo brand and a phone.

    With --photo, the whole journey of a shopper at once instead.
    """
    import uvloop

    from selify.core.settings import load
    from selify_sandbox import demo as demo_brand
    from selify_sandbox import journey
    from selify_sandbox.settings import DemoSettings

    settings = load(DemoSettings).of(DemoSettings)
    if photo is None:
        uvloop.run(demo_brand.stay_up(settings))
        return
    request = journey.JourneyRequest.check(photo, garment, out_path, category)
    sys.exit(uvloop.run(journey.run(settings, request)))


@commands.command(hidden=True)
def phone(
    port: Annotated[int, typer.Option(help="Where the phone listens.")],
    server: Annotated[str, typer.Option(help="The address of the server it writes to.")],
) -> None:
    """Run the stand-in for Instagram alone (part of the demo)."""
    from selify.core import settings as core_settings
    from selify.vendors.instagram.settings import InstagramSettings
    from selify_sandbox.instagram.config import SandboxConfig
    from selify_sandbox.instagram.serve import serve

    settings = core_settings.load()
    app = settings.of(InstagramSettings)
    serve(
        SandboxConfig(
            data_dir=settings.data_dir / "phone",
            public_url=f"http://127.0.0.1:{port}",
            callback_url=f"{server}/webhooks/instagram",
            deauthorize_url=f"{server}/webhooks/instagram/deauthorize",
            deletion_url=f"{server}/webhooks/instagram/data-deletion",
            app_id=app.instagram_app_id,
            app_secret=app.instagram_app_secret.get_secret_value(),
            verify_token=app.instagram_verify_token.get_secret_value(),
            api_version=app.instagram_version,
        ),
        port=port,
    )
