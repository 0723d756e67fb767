"""Files that only their owner reads, and that several daemons may write at once.

Owns the rule that whoever reads such a file finds one whole content, whatever was going on: each
writer has an unfinished file of its own, and its content appears under the name at once.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def replace_private(file: Path, content: bytes, *, owner: tuple[int, int] | None = None) -> None:
    """Put the content in the place of whatever lies there, also of a link that somebody planted.

    `owner` is the user and the group it is for, where that is not us.

    Raises:
        OSError: It cannot be written, or not be given away.
    """
    with _unfinished(file, content) as whole:
        if owner is not None:
            os.chown(whole, *owner, follow_symlinks=False)
        whole.rename(file)


def create_private(file: Path, content: bytes) -> None:
    """Write the file, unless it is there already: of several that try, the first one wins.

    Raises:
        OSError: It cannot be written.
    """
    with _unfinished(file, content) as whole, contextlib.suppress(FileExistsError):
        os.link(whole, file)  # unlike a rename, it replaces nothing


@contextlib.contextmanager
def _unfinished(file: Path, content: bytes) -> Iterator[Path]:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{file.name}.", suffix=".new", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            os.fsync(out.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
