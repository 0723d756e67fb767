"""What there is to measure, in words: the help of the command line is made from it."""

import textwrap

import msgspec


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A subject: what it measures, how long that takes, and what `--count` counts, if anything.

    Its module has its name, unless another is given.
    """

    measures: str
    takes: str
    counts: str = ""
    module: str = ""


SUBJECTS = {
    "scale": Subject(
        measures="list, get, search and create while items, tenants or daemons become more",
        takes="90 min; 15 min with --items-max 1000000",
    ),
    "soak": Subject(
        measures="memory, backlog, descriptors and p99 under a steady mixed load",
        takes="30 min, or --minutes",
    ),
    "transfer": Subject(
        measures="bulk creates, export and import of items of 4 KB",
        takes="8 min",
        counts="items (100,000)",
    ),
    "search": Subject(
        measures="full-text search among many tenants' items, beside a lookup by id",
        takes="7 min",
        counts="items (1,000,000)",
    ),
    "listeners": Subject(
        measures="a thousand who follow the events, some of whom never read",
        takes="1 min",
        counts="listeners (1,000)",
    ),
    "outage": Subject(
        measures="writes and lists while ZeroDB answers nothing, and the backlog afterwards",
        takes="2 min",
        counts="seconds of the outage (20)",
    ),
    "delivery": Subject(
        measures="the way of bodies into a real zerodb-local, beside what that takes in bulk",
        takes="5 min",
        module="zerodb",
    ),
    "replication": Subject(
        measures="the way of versions into a BigQuery emulator, beside Google's bare client",
        takes="2 min",
        counts="rows a round (10,000)",
        module="archive_bigquery",
    ),
    "carrying": Subject(
        measures="delivery and replication at once, while the API is asked",
        takes="3 min",
        counts="versions a round (2,000)",
    ),
    "archive": Subject(
        measures="the embedded archive: what a row takes, how fast one is found and all are read",
        takes="2 min; 20 min with --rows 1000000",
    ),
    "media": Subject(
        measures="what a large file costs in memory on its way in, at once and bit by bit, and out",
        takes="2 min",
        counts="megabytes (2,048)",
    ),
    "migration": Subject(
        measures="how fast content that the platform has moves in, and that moving it again changes nothing",
        takes="10 min",
        counts="items (200,000)",
    ),
    "generation": Subject(
        measures="a job of a thousand pieces, and who reads meanwhile",
        takes="1 min",
        counts="pieces (1,000)",
    ),
    "dashboard": Subject(
        measures="what a dashboard takes before ten thousand tenants, and how fast it answers",
        takes="1 min",
        counts="tenants (10,000)",
    ),
    "attached": Subject(
        measures="what a daemon loses while a dashboard is attached to it",
        takes="8 min",
        counts="pairs of rounds (8)",
    ),
}

OTHERS = {
    "plot": "draw the tables and pictures of scale and soak anew from their JSON",
}
_INDENT = 14
_WIDTH = 96


def contents() -> str:
    """A line or two for each subject."""
    lines = {
        name: f"{subject.measures} ({subject.takes})" for name, subject in SUBJECTS.items()
    } | OTHERS
    return "\n".join(_entry(name, words) for name, words in lines.items())


def _entry(name: str, words: str) -> str:
    first = f"  {name}".ljust(_INDENT)
    return textwrap.fill(words, _WIDTH, initial_indent=first, subsequent_indent=" " * _INDENT)
