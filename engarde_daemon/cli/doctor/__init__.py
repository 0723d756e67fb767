"""`engarde doctor`: everything the daemon needs, checked one by one.

Owns the promise that one run shows all that can be seen: a check that fails does not keep the
others from being made, unless it is about what they stand on.
"""
