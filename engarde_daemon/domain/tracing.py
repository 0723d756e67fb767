"""Which trace the present request belongs to, so that what it causes later can name it.

Owns the way of a trace from the edge into messages: whatever is made while a request is served
takes it along by itself. Where tracing is off there is none, and nothing is carried.
"""

from contextvars import ContextVar

PRESENT: ContextVar[str | None] = ContextVar("PRESENT", default=None)
"""The span under way, as a `traceparent` (https://www.w3.org/TR/trace-context/)."""


def present_trace() -> str | None:
    """The trace of the request that is being served, if somebody records it."""
    return PRESENT.get()
