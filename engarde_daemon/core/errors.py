"""What can go wrong between a sender and an actor, one class for each reaction.

::

    ActorError
    ├─ MailboxFull          nothing was queued: send later
    ├─ ActorStopped         nothing will be answered any more: give up
    ├─ ActorCrashed         it failed on this request: the outcome is unknown
    ├─ AskTimedOut          no answer in time: the outcome is unknown
    └─ RestartLimitReached  a supervisor gave up: end, or let its parent decide
    Refusal                 an answer that is an error: the actor is well

Only a `Refusal` is the actor's own word; it reaches the asker unchanged, and domain errors
derive from it. Everything else is said by the kernel.
"""


class ActorError(Exception):
    """Something between a sender and an actor failed."""


class MailboxFull(ActorError):
    """`offer` found no room."""


class ActorStopped(ActorError):
    """The address is closed: the actor takes no messages any more."""


class ActorCrashed(ActorError):
    """The actor failed on this request; the reason is attached as the cause."""


class AskTimedOut(ActorError, TimeoutError):
    """The answer did not arrive within the asker's deadline."""


class RestartLimitReached(ActorError):
    """A supervisor restarted its children more often than its policy allows."""


class Refusal(Exception):
    """Raised by an actor that will not do what it was asked, and is otherwise well."""
