"""The HTTP edge: what came over the wire becomes a checked request, an answer goes back.

Owns the refusal of bad input: nothing passes this package that the domain would choke on.
"""
