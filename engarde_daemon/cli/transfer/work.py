"""What the two commands do: find the daemon, carry the content, and show how far it is."""

from pathlib import Path

import msgspec

from engarde_daemon.cli.progress import progress
from engarde_daemon.cli.transfer import exporting, importing
from engarde_daemon.cli.transfer.door import find_door
from engarde_daemon.cli.transfer.exporting import Exported
from engarde_daemon.cli.transfer.importing import Imported
from engarde_daemon.config import Settings


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """Which file and which daemon are meant; what is None is looked up or means everything."""

    file: Path
    url: str | None
    key: str | None
    brand_id: str | None


def export_content(settings: Settings, errand: Errand, *, resume: bool) -> Exported:
    """Write everything of a brand or a tenant into a file.

    Raises:
        CannotStartError: The daemon does not answer.
        Rejected: The daemon will not do this.
        OSError: The file cannot be written.
    """
    door = find_door(settings, errand.url, errand.key)
    total = exporting.count_items(door, errand.brand_id)
    with progress("Exporting", "items", total) as advance:
        return exporting.export(
            door, errand.file, brand_id=errand.brand_id, resume=resume, advance=advance
        )


def import_content(settings: Settings, errand: Errand) -> Imported:
    """Take in everything of a file.

    Raises:
        CannotStartError: The daemon does not answer.
        Rejected: The daemon will not do this, or the file is damaged.
        OSError: The file cannot be read.
    """
    door = find_door(settings, errand.url, errand.key)
    size = errand.file.stat().st_size
    with progress("Importing", "bytes", size) as advance:
        return importing.import_(door, errand.file, brand_id=errand.brand_id, advance=advance)
