"""Two other ways to build the same API, measured beside the daemon.

`ceiling` does the least work that can answer a request durably. `naive` does what the platform's
first sketch does. Both speak the daemon's HTTP API, start a PostgreSQL of their own with the same
settings as the daemon's, and are as fast as their flow allows: asyncpg, uvicorn, uvloop,
httptools, msgspec, no framework.
"""
