"""The sessions that a page of the docs shows, run as a reader would run them.

A session is a `console` block: commands after `$ `, each with the answer it is shown with. All
blocks of a page are one shell, so that a variable of one is known in the next.

An answer is compared by what does not change from run to run. Ids, moments and secrets stand for
others of their kind; `…` stands for anything; white space stands for none; and a command may answer
more lines than the page shows, as `curl -i` does.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import anyio
import msgspec

from tests.support.patience import PATIENCE_S

_BLOCK = re.compile(r"```console\n(?P<text>.*?)```", re.DOTALL)
_CHANGING = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]+(Z|\+00:00)"), "<moment>"),
    (re.compile(r"\beg_[a-z2-7]{12}_[0-9A-Za-z]{43}"), "<key>"),
    (re.compile(r"\bwhsec_[0-9A-Za-z+/=]{44}"), "<secret>"),
    (re.compile(r'(?<="id":")[a-z2-7]{12}(?=")|(?<=/keys/)[a-z2-7]{12}'), "<key id>"),
    (re.compile(r'(?<="principal_id":")[a-z2-7]{12}(?=")'), "<key id>"),
    (
        re.compile(r'(?<="request_id":")[0-9a-f]{16}(?=")|(?<=request-id: )[0-9a-f]{16}'),
        "<request>",
    ),
    (re.compile(r"http://127\.0\.0\.1:[0-9]+"), "<url>"),
]


class Step(msgspec.Struct, frozen=True):
    """A command, and what the page says that it answers."""

    command: str
    shown: str


def steps_of(page: str) -> list[Step]:
    """The steps of all sessions of a page."""
    return [step for block in _BLOCK.finditer(page) for step in _steps_in(block["text"])]


def _steps_in(text: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        taken = 1
        while not _is_whole("".join(lines[:taken])):
            taken += 1
        yield Step("".join(lines[:taken]).strip(), "".join(lines[taken:]).strip())


def _is_whole(command: str) -> bool:
    """Whether a shell would wait for no further line."""
    return not command.rstrip().endswith(("\\", "|")) and command.count("'") % 2 == 0


async def answers(steps: list[Step], *, environ: Mapping[str, str], cwd: Path) -> list[str]:
    """What the commands answer, one after the other in one shell."""
    script = "".join(f"{step.command}\nprintf '\\0'\n" for step in steps)
    with anyio.fail_after(PATIENCE_S):
        done = await anyio.run_process(["bash", "-c", script], env=dict(environ), cwd=cwd)
    return done.stdout.decode().split("\0")[:-1]


def missing_from(answer: str, shown: str) -> str | None:
    """The first piece of what is shown that the answer does not have in its place, if any."""
    told, place = _settled(answer), 0
    for line in _logical_lines(shown):
        for piece in _settled(line).split("…"):
            found = told.find(piece, place)
            if found < 0:
                return f"{piece!r} is not in {told[place:]!r}"
            place = found + len(piece)
    return None


def _logical_lines(shown: str) -> Iterator[str]:
    """Lines of headers one by one; a body is one line, however it is broken on the page."""
    lines = shown.splitlines()
    body = next((n for n, line in enumerate(lines) if line[:1] in {"{", "["}), len(lines))
    yield from (line for line in lines[:body] if line)
    if body < len(lines):
        yield "\n".join(lines[body:])


def _settled(text: str) -> str:
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    return re.sub(r"\s+", "", text)
