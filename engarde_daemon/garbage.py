"""When Python looks for garbage that reference counts do not find: seldom.

Hardly anything here refers to itself in a circle, yet at its own pace the collector takes a tenth of
a writing daemon's processor time, and each look at everything stops all requests for a tenth of a
second. What a start leaves stays for life, and need not be looked at ever again.

https://docs.python.org/3.11/library/gc.html
"""

import gc

NEW_OBJECTS = 10_000
YOUNG_LOOKS = 20
MIDDLE_LOOKS = 50


def look_seldom() -> None:
    """Look so seldom from now on; of use before much is imported."""
    gc.set_threshold(NEW_OBJECTS, YOUNG_LOOKS, MIDDLE_LOOKS)


def keep_what_is_there() -> None:
    """Take out the garbage once, and leave what remains out of all further looks."""
    gc.collect()
    gc.freeze()


def look_at_everything() -> None:
    """Let the end of the process take out what was left out of looks, of which libraries complain."""
    gc.unfreeze()
