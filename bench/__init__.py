"""Measures the running daemon beside two references on the same machine, in the same run.

The daemon is the one that `engarde run` starts, and it is loaded through its HTTP API alone, so
the figures are those a client sees. Nothing of the product imports this package.
"""
