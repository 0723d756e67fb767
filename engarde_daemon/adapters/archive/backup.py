"""A copy of the embedded archive while it is written to, and what of a copy is of use.

Owns the argument: files are never changed, and while somebody reads for long none is removed, not
even one that was merged into another. So of any copy everything beyond a number can be left out by
leaving out files, also where a merge has since put rows from before and after it into one.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from engarde_daemon.adapters.archive.segments import Segment, listing
from engarde_daemon.adapters.backup.folder import Advance, copy_file
from engarde_daemon.domain.archive_tables import ArchiveTable


def copy_files(root: Path, target: Path, advance: Advance) -> None:
    """Copy every file that is there now; call it within `reading_for_long`.

    Raises:
        OSError: One cannot be read or written.
    """
    for _, segment in _segments(root):
        copy_file(segment.path, target / segment.path.relative_to(root), advance)


def cut_off(root: Path, positions: Mapping[str, int]) -> int:
    """Remove the files with rows of a number that is not drawn yet, and count them.

    `positions` are the numbers of the next rows, by table. Nobody may be using the folder.
    """
    beyond = [
        segment.path
        for table, segment in _segments(root)
        if segment.last >= positions.get(table, segment.last + 1)
    ]
    for path in beyond:
        path.unlink()
    return len(beyond)


def _segments(root: Path) -> Iterator[tuple[ArchiveTable, Segment]]:
    for table in ArchiveTable:
        if (root / table).is_dir():
            found = listing(root, table)
            for segment in (*found.superseded, *found.live):
                yield table, segment
