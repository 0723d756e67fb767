"""What the daemon tells of its work, in the words of OpenTelemetry, where somebody wants to know."""

from engarde_daemon.adapters.telemetry.wrapping import (
    TracedContentLog,
    TracedModels,
    TracedOutbox,
    TracedStreamBook,
)

__all__ = ["TracedContentLog", "TracedModels", "TracedOutbox", "TracedStreamBook"]
