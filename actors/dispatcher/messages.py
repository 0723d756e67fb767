"""What may be asked of the dispatcher. Whether the asker may, was found out at the edge."""

from typing import TypeAlias

from engarde_daemon.core import Request
from engarde_daemon.ports.importing import Begun, ImportDraft, ImportKey, Portion


class BeginImport(Request[Begun], frozen=True):
    """Make an import; the same draft twice makes one."""

    draft: ImportDraft


class ReceiveExport(Request[None], frozen=True):
    """Take in a part of an export."""

    key: ImportKey
    portion: Portion


class CancelImport(Request[None], frozen=True):
    """Take in nothing more for an import."""

    key: ImportKey
    reason: str | None = None


DispatcherMessage: TypeAlias = BeginImport | ReceiveExport | CancelImport
