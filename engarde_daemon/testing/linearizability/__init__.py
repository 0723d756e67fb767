"""Whether what many clients saw could have happened in one order.

A history is linearizable if every operation can be given one moment between its call and its answer,
so that all answers are those of one object to which the operations happen at their moments. An
operation whose answer never came may have happened at any moment after its call, or never.

The search is Wing and Gong's with Lowe's memory of configurations; objects that have nothing to do
with each other are judged each on its own, which is sound because linearizability is local.
(J. M. Wing, C. Gong, "Testing and Verifying Concurrent Objects", 1993; G. Lowe, "Testing for
linearizability", 2017; M. Herlihy, J. Wing, "Linearizability", 1990, theorem 1.)
"""

from engarde_daemon.testing.linearizability.checker import NotLinearizable, Undecided, check
from engarde_daemon.testing.linearizability.history import History, Operation

__all__ = ["History", "NotLinearizable", "Operation", "Undecided", "check"]
