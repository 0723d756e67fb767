"""How much delivery carries at once, by what the store takes best.

Owns the exception for zerodb-local, which does one thing at a time and reads fifty rows back at a
much higher price a row than two hundred: what would be several requests of several batches, in
flight together, are those of one batch, whose rows it is asked for once. Two more batches keep it
busy while the daemon is at work on the first.
"""

from actors.delivery.actor import DeliveryPace
from engarde_daemon.config import Delivery
from engarde_daemon.config.kinds import BodyStoreMode

LOCAL_BATCH_ITEMS = 200
LOCAL_BATCHES_IN_FLIGHT = 3


def delivery_pace(given: Delivery, mode: BodyStoreMode) -> DeliveryPace:
    """The pace of a daemon with these settings and such a store."""
    items, batches = given.batch_items, given.batches_in_flight
    if mode == "local":
        items = max(items, min(items * batches, LOCAL_BATCH_ITEMS))
        batches = min(batches, LOCAL_BATCHES_IN_FLIGHT)
    return DeliveryPace(
        batch_items=items,
        batches_in_flight=batches,
        lease_s=given.lease_s,
        poll_s=given.poll_s,
    )
