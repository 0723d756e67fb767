"""From the bytes of a list of figures to figures, each checked for itself.

The whole is read once to find where its figures lie, and each figure once, so that every wrong one
is named with all of its faults.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from engarde_daemon.api.analytics.schemas import FIGURES_MAX, FigureCreate
from engarde_daemon.api.decoding import bound_values, decode_json
from engarde_daemon.domain.errors import FieldError, Invalid, Malformed

T = TypeVar("T")


class FigureList(msgspec.Struct, Generic[T], frozen=True, forbid_unknown_fields=True):
    """Up to 500 figures, all of them or none."""

    figures: Annotated[list[T], Meta(min_length=1, max_length=FIGURES_MAX)]


class Wishes(msgspec.Struct, frozen=True):
    """The figures that can be read, and the faults of the others, both by place."""

    figures: Mapping[int, FigureCreate]
    faults: Mapping[int, list[FieldError]]


def read_figures(raw: bytes) -> Wishes:
    """Read a list of figures.

    Raises:
        Malformed: It is no JSON document, nested too deeply, or of too many values.
        Invalid: It has no figures, too many of them, or fields that are not known.
    """
    bound_values(raw)
    try:
        envelope = msgspec.json.decode(raw, type=FigureList[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError, ValueError):
        decode_json(raw, FigureList[Any])
        raise Malformed("The body is no JSON document of this route.") from None
    figures, faults = {}, {}
    for index, one in enumerate(envelope.figures):
        try:
            figures[index] = decode_json(bytes(one), FigureCreate)
        except Invalid as error:
            faults[index] = error.errors
        except Malformed as error:
            faults[index] = [FieldError("", error.told)]
    return Wishes(figures, faults)
