"""What may be asked of the examiner."""

from engarde_daemon.core import Request
from engarde_daemon.domain.generation import Trial
from engarde_daemon.ports.models import Secret


class TryKey(Request[Trial], frozen=True):
    """Knock at a provider's door with a key; nothing is generated, and nothing costs."""

    provider: str
    secret: Secret
