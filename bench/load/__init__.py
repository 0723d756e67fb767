"""The load generator: `python -m bench.load` reads an order on stdin and prints a result.

It is our own, and not wrk, for two reasons. Every machine that can run the daemon can run it, so
figures from two machines come from the same tool. And it knows the API: each body it writes is
new, and it spreads requests over tenants and over items, which a fixed request cannot.

It runs in a process of its own, on raw protocols, so that its cost per request is small beside
the server's; each run measures that cost against an empty responder and prints it.

The load is closed: a connection sends its next request when the answer to the last has come.
Latencies are therefore those under saturation. Only an order with a rate is different: its requests
are due at fixed times, and one that is sent late counts the time for which it had to wait.
"""
