"""What may be asked of the shelver."""

from engarde_daemon.core import Request
from engarde_daemon.domain.twins import SignedAnswer
from engarde_daemon.ports.generation import Claim, Written


class Shelve(Request[bool], frozen=True):
    """Judge an answer that is committed, and store it as content; false where the claim was lost."""

    claim: Claim
    answer: Written
    signed: SignedAnswer | None = None
