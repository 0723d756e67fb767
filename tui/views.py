"""How what the daemon says is meant to be taken: its words, put in tones and in the operator's."""

from engarde_daemon.protocol import ActorView, FeedEvent, Severity, StoreState
from tui.tone import Tone

SEVERITY_TONES = {
    Severity.OK: Tone.GOOD,
    Severity.WARNING: Tone.WARNING,
    Severity.FAULT: Tone.FAULT,
}
STORE_WORDS = {
    StoreState.HEALTHY: "healthy",
    StoreState.DEGRADED: "degraded",
    StoreState.FAILED_OVER: "failed over",
    StoreState.RECOVERING: "recovering",
    StoreState.AWAY: "away",
}
_STATUS_TONES = {
    "running": Tone.GOOD,
    "paused": Tone.WARNING,
    "backing_off": Tone.WARNING,
    "starting": Tone.WARNING,
    "waiting": Tone.WARNING,
    "stopping": Tone.WARNING,
    "stopped": Tone.FAULT,
    "failed": Tone.FAULT,
}
_JOB_TONES = {
    "receiving": Tone.ACCENT,
    "pending": Tone.QUIET,
    "running": Tone.ACCENT,
    "completed": Tone.GOOD,
    "failed": Tone.FAULT,
    "cancelled": Tone.WARNING,
}
_LEVEL_TONES = {
    "normal": Tone.GOOD,
    "warning": Tone.WARNING,
    "critical": Tone.WARNING,
    "exceeded": Tone.FAULT,
}


def event_tone(event: FeedEvent) -> Tone:
    """How an event is meant: most only tell, and need no sign."""
    return Tone.QUIET if event.severity is Severity.OK else SEVERITY_TONES[event.severity]


def actor_tone(actor: ActorView) -> Tone:
    """How an actor is; one that runs with a crowded mailbox is worth a look."""
    tone = _STATUS_TONES.get(actor.status, Tone.PLAIN)
    crowded = actor.capacity and actor.depth >= actor.capacity * 0.8
    return Tone.WARNING if tone is Tone.GOOD and (crowded or actor.waiting) else tone


def job_tone(state: str) -> Tone:
    """How a job is."""
    return _JOB_TONES.get(state, Tone.PLAIN)


def level_tone(level: str) -> Tone:
    """How full a plan is."""
    return _LEVEL_TONES.get(level, Tone.PLAIN)
