"""How long a test waits for what must come: as long as the slowest machine may need.

Only what does not come at all is a failure, so a long wait costs nothing where the code is right.
"""

PATIENCE_S = 90.0
