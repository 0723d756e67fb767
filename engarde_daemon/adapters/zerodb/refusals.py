"""What can go wrong between the daemon and a ZeroDB server, told apart by what is known afterwards.

Owns the rule that nothing of an answer's body gets into an error: servers repeat content and SQL
in theirs.
"""

from engarde_daemon.domain.errors import Evidence, Unavailable


class NotReached(Unavailable):
    """The server did not get the request, or did not begin with it."""


class Throttled(NotReached):
    """The server gets more requests than it takes."""

    evidence = Evidence.NONE


class OutcomeUnknown(Unavailable):
    """The server may or may not have done what it was asked."""


class Broke(OutcomeUnknown):
    """The server failed on this request (500), perhaps because of what was in it."""

    evidence = Evidence.REFUSAL


class Refused(Unavailable):
    """The server answered that it will not do it; `code` is the HTTP status."""

    evidence = Evidence.REFUSAL

    def __init__(self, detail: str, *, code: int) -> None:
        super().__init__(detail)
        self._code = code

    @property
    def code(self) -> int:
        """The HTTP status of the answer."""
        return self._code


class Paused(Unavailable):
    """The server asked to be left alone for longer than a call may take; `after_s` says how long."""

    evidence = Evidence.NONE


class Unreadable(OutcomeUnknown):
    """The server answered with something that is no answer to what it was asked."""


class TooMuch(Unavailable):
    """The answer is larger than the daemon reads at once; ask for less."""

    evidence = Evidence.REFUSAL
