"""Which columns there is room for."""

from tui.tone import Cell
from tui.widgets.columns import Column, place


def column(title: str, width: int, *, rank: int = 0, grows: bool = False) -> Column[str]:
    """A column that shows its row."""
    return Column(title=title, cell=Cell, width=width, rank=rank, grows=grows)


COLUMNS = [column("a", 5, grows=True), column("b", 10, rank=2), column("c", 10, rank=1)]


def placed(room: int) -> dict[str, int]:
    """The titles and widths for so much room."""
    return {found.column.title: found.width for found in place(COLUMNS, room)}


def test_room_that_is_left_goes_to_the_column_that_grows():
    """Two gaps of two columns stand between three."""
    assert placed(40) == {"a": 16, "b": 10, "c": 10}


def test_columns_leave_in_the_order_of_their_rank():
    """What matters least goes first."""
    assert placed(20) == {"a": 8, "c": 10}


def test_what_has_no_rank_stays_even_where_there_is_no_room():
    """A table without its first column would say nothing."""
    assert placed(3) == {"a": 5}
