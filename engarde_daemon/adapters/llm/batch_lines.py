"""What the batch APIs of both providers have in common: names of ours, and names of theirs.

Owns how an answer finds its item: each question goes by the name of its batch and a number, so that
a batch of somebody else who uses the same key is known by its first line.
"""

import re
from datetime import timedelta

from engarde_daemon.ports.batches import StrangeBatchError
from engarde_daemon.ports.models import FaultKind, ModelFault

PAGES_MAX = 50
CLOCKS_APART = timedelta(minutes=10)
"""By how much a provider's clock may differ from the database's."""

NOT_DONE = "The provider did not get to this item before the batch ended."

_NUMBER = re.compile(r"[0-9]{1,9}")
_THEIRS = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def custom_id(batch_id: str, number: int) -> str:
    """What an item goes by at its provider: letters, digits and a hyphen, 64 of them at most."""
    return f"{batch_id.replace('-', '')}-{number}"


def number_in(batch_id: str, name: str) -> int:
    """The number of an item that a provider tells of.

    Raises:
        StrangeBatchError: It is none of this batch.
    """
    prefix, _, number = name.rpartition("-")
    if prefix != batch_id.replace("-", "") or not _NUMBER.fullmatch(number):
        raise StrangeBatchError
    return int(number)


def safe(name: str) -> str:
    """A provider's name for something, fit to stand in a path.

    Raises:
        ModelFault: It holds what no provider puts into a name.
    """
    if not _THEIRS.fullmatch(name):
        raise ModelFault(FaultKind.BROKEN, "The provider's answer is not in the form of its API.")
    return name
