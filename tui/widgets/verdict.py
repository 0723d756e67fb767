"""The answer to the one question: is content safe, and if not, why, and what does that mean."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from engarde_daemon.protocol import Safety, Snapshot
from tui.tone import Tone, role, sign
from tui.views import SEVERITY_TONES
from tui.words import clean, clock, lasting

FRESH_S = 5.0


class Line(NamedTuple):
    """A line of the verdict and its place, which is its class in the style sheet."""

    place: str
    content: Content


_WAITING = Line("head", Content("… waiting for the daemon"))


class Verdict(Vertical):
    """One sentence, and below it everything that speaks against it, worst first."""

    def __init__(self) -> None:
        super().__init__(id="verdict", classes="panel")
        self.border_title = "Is content safe?"
        self._lines: Sequence[Line] = [_WAITING]

    def compose(self) -> ComposeResult:
        """A part for each line, so that long ones wrap under their beginning."""
        for line in self._lines:
            yield Static(line.content, classes=line.place)

    def tell(self, snapshot: Snapshot | None, trouble: str) -> None:
        """Say how it stands, and what keeps it from being known as of now."""
        known = SEVERITY_TONES[snapshot.safety.severity] if snapshot else None
        tone = Tone.WARNING if trouble else known
        for other in (Tone.GOOD, Tone.WARNING, Tone.FAULT):
            self.set_class(other is tone, f"-{other}")
        self.border_subtitle = _as_of(snapshot) if snapshot else ""
        lines = list(_lines(snapshot, trouble))
        if lines != self._lines:
            self._lines = lines
            self.refresh(recompose=True)


def _as_of(snapshot: Snapshot) -> str:
    if snapshot.known_at is None:
        return "PostgreSQL was never reached"
    late = (snapshot.at - snapshot.known_at).total_seconds()
    return f"figures of {lasting(late)} ago" if late >= FRESH_S else ""


def _lines(snapshot: Snapshot | None, trouble: str) -> Iterator[Line]:
    if snapshot is None:
        yield _head(Tone.WARNING, trouble) if trouble else _WAITING
        return
    if trouble:
        yield _head(Tone.WARNING, f"{trouble} This is how it was at {clock(snapshot.at)}.")
    yield from _told(snapshot.safety)


def _told(safety: Safety) -> Iterator[Line]:
    yield _head(SEVERITY_TONES[safety.severity], safety.words)
    for risk in safety.risks:
        tone = SEVERITY_TONES[risk.severity]
        yield Line(
            "risk",
            Content.assemble(
                (f"{sign(tone)} ", role(tone)),
                (f"{clean(risk.about)}: ", "bold"),
                clean(risk.cause),
            ),
        )
        if risk.effect:
            yield Line("effect", Content.assemble((f"→ {clean(risk.effect)}", role(Tone.QUIET))))


def _head(tone: Tone, words: str) -> Line:
    return Line(
        "head",
        Content.assemble((f"{sign(tone)} ", f"bold {role(tone)}"), (clean(words), "bold")),
    )
