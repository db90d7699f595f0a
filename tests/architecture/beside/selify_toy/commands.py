"""``selify blocks``."""

from selify.core.command_line import group, out

commands = group()


@commands.command()
def blocks() -> None:
    """Show the first block."""
    from selify.core.settings import load
    from selify_toy.settings import ToySettings

    out().print(f"A {load(ToySettings).of(ToySettings).toy_colour} block.")
