"""How the demonstration speaks: what happens, what proves it, and what else to look at."""

import anyio
import rich_click as click


class Narrator:
    """Tells one thing after the other, and lets people read."""

    def __init__(self, *, pause_s: float) -> None:
        self._pause_s = pause_s

    async def act(self, title: str) -> None:
        """Begin something new."""
        click.echo("\n" + click.style(title, bold=True))
        await self._rest()

    async def say(self, text: str) -> None:
        """Say what happens."""
        click.echo(f"  {text}")
        await self._rest()

    def show(self, text: str) -> None:
        """Show what proves it."""
        click.echo(click.style(f"    {text}", dim=True))

    async def suggest(self, *commands: str) -> None:
        """Say what to try meanwhile, in a second terminal."""
        for command in commands:
            click.echo("    " + click.style(f"$ {command}", fg="cyan"))
        await self._rest()

    async def _rest(self) -> None:
        await anyio.sleep(self._pause_s)
