"""How things stand, in words that name the cause and what it does to the promises.

Owns the wording of every fault of the stores, so that overview, dashboard and command line say the
same of the same thing. Pure: whoever looks puts a `Scene` together.
"""

from engarde_daemon.domain.safety.queues import backlog_of
from engarde_daemon.domain.safety.risks import risks_of
from engarde_daemon.domain.safety.scene import Scene
from engarde_daemon.domain.safety.stores import stores_of
from engarde_daemon.domain.safety.verdict import safety_of

__all__ = ["Scene", "backlog_of", "risks_of", "safety_of", "stores_of"]
