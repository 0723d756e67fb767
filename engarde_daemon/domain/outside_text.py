"""Text that others wrote, made fit to be stored, logged and shown.

Owns its form: one line of printable characters, of a bounded length. So it holds no NUL, which
PostgreSQL does not take, and nothing that a terminal would obey or show in another order.
"""


def one_line(text: str, most: int) -> str:
    """The beginning of a text as one line; whatever does not print is a space."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:most]
