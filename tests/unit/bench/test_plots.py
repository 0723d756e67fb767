"""Pictures: axes that hold every value, lines that are told apart, and text that is safe in XML."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.axes import linear_axis, log_axis, told
from bench.plots import Line, Panel, drawing, spread

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = st.lists(st.floats(min_value=0.001, max_value=1e9), min_size=1, max_size=20)


def a_panel(**changes) -> Panel:
    """Draw two lines, one thin."""
    points = [(1.0, 10.0), (10.0, 1000.0)]
    given_fields = {
        "title": "Latency",
        "x_label": "items",
        "lines": [
            Line(name="get <b>", color=0, points=points),
            Line(name="p99", color=0, points=points, is_thin=True),
        ],
        **changes,
    }
    return Panel(**given_fields)


def texts_of(svg: str) -> list[str]:
    """Read all words of a picture."""
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own


@pytest.mark.parametrize("make", [log_axis, linear_axis])
@given(figures=FIGURES)
def test_every_value_lies_on_its_axis(make, figures: list[float]) -> None:
    """Nothing is drawn outside of the panel."""
    axis = make(figures)

    assert all(-1e-9 <= axis.share(one) <= 1 + 1e-9 for one in figures)
    assert axis.ticks == sorted(set(axis.ticks))


@given(figures=FIGURES)
def test_an_axis_has_few_ticks(figures: list[float]) -> None:
    """A reader can read them all."""
    assert 2 <= len(log_axis(figures).ticks) <= 14
    assert 2 <= len(linear_axis(figures).ticks) <= 7


def test_a_linear_axis_of_nothing_but_zero_can_be_drawn() -> None:
    """A backlog that never was is a line at the bottom."""
    assert linear_axis([0.0, 0.0]).share(0.0) == 0.0


def test_numbers_are_told_as_people_write_them() -> None:
    """Thousands and millions in short."""
    assert [told(one) for one in (10_000_000, 200_000, 3, 0.5)] == ["10M", "200k", "3", "0.5"]


@given(wanted=st.lists(st.floats(min_value=0, max_value=300), max_size=5))
def test_names_at_the_ends_of_lines_do_not_overlap(wanted: list[float]) -> None:
    """However close their lines end; and the order from top to bottom stays."""
    places = spread(wanted, gap=13)
    in_order = [places[n] for n in sorted(range(len(wanted)), key=wanted.__getitem__)]

    assert all(lower - upper > 12 for upper, lower in pairwise(in_order))


def test_a_picture_is_sound_xml_with_every_name() -> None:
    """Names are escaped, and a thin line, which accompanies another, has none."""
    texts = texts_of(drawing("At <scale>", ["a & b"], [a_panel(), a_panel()], columns=2))

    assert {"At <scale>", "a & b", "Latency", "items"} <= set(texts)
    assert (texts.count("get <b>"), texts.count("p99")) == (2, 0)


def test_a_logarithmic_panel_puts_a_decade_at_equal_steps() -> None:
    """1, 10 and 100 stand equally far apart."""
    axis = log_axis([1, 100])

    assert axis.share(10) == pytest.approx(0.5)
