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


class Verdict(Vertical):
    """One sentence, and below it everything that speaks against it, worst first."""

    def __init__(self) -> None:
        super().__init__(id="verdict", classes="panel")
        self.border_title = "Is content safe?"
        self._lines: Sequence[Line] = [Line("head", Content("… waiting for the daemon"))]

    def compose(self) -> ComposeResult:
        """A part for each line, so that long ones wrap under their beginning."""
        for line in self._lines:
            yield Static(line.content, classes=line.place)

    def tell(self, snapshot: Snapshot, *, live: bool) -> None:
        """Say how it stands."""
        tone = SEVERITY_TONES[snapshot.safety.severity] if live else Tone.WARNING
        for other in (Tone.GOOD, Tone.WARNING, Tone.FAULT):
            self.set_class(other is tone, f"-{other}")
        self.border_subtitle = _as_of(snapshot)
        lines = [*([] if live else [_stale(snapshot)]), *_lines(snapshot.safety)]
        if lines != self._lines:
            self._lines = lines
            self.refresh(recompose=True)


def _as_of(snapshot: Snapshot) -> str:
    if snapshot.known_at is None:
        return "PostgreSQL was never reached"
    late = (snapshot.at - snapshot.known_at).total_seconds()
    return f"figures of {lasting(late)} ago" if late >= FRESH_S else ""


def _stale(snapshot: Snapshot) -> Line:
    words = f"The daemon does not answer. This is how it was at {clock(snapshot.at)}."
    return _head(Tone.WARNING, words)


def _lines(safety: Safety) -> Iterator[Line]:
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
