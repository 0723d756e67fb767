"""What lies in the files of an embedded archive, row by row, repeated ones as often as they do."""

from collections import Counter
from pathlib import Path

from engarde_daemon.adapters.archive.analysis import ask

_ROWS = "select tenant_id, content_id, version, sha256 from content_snapshots"


def archived_rows(data_dir: Path) -> Counter[tuple[str, str, int, str]]:
    """How often each version lies in the archive, by tenant, content, number and hash."""
    rows = ask(data_dir / "archive", _ROWS).rows
    return Counter((r["tenant_id"], r["content_id"], r["version"], r["sha256"]) for r in rows)
