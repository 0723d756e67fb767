"""A TCP proxy on loopback that fails on demand, to stand between the daemon and a store.

Owns the faults that only a network has: answers that are slow, late, cut off or lost although the
request was carried out, connections that are reset, and bytes that go nowhere while everything looks
open. All of it is switched while bytes flow::

    async with FaultyProxy("127.0.0.1", 5432) as proxy:
        proxy.requests.latency_s = 0.2        # each way on its own
        proxy.replies.bytes_per_s = 2_000
        proxy.replies.hold()                  # a black hole, until release()
        proxy.replies.cut_after(b"COMMIT")    # the connection breaks behind these bytes
        proxy.lose_answer_to(b"some title")   # the request arrives, its answer does not
        proxy.reset()                         # every connection breaks now
"""

from engarde_daemon.testing.proxy.door import FaultyProxy
from engarde_daemon.testing.proxy.ways import Way

__all__ = ["FaultyProxy", "Way"]
