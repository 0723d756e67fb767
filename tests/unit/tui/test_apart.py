"""The dashboard stands apart from the daemon."""

import json
import subprocess
import sys


def test_the_dashboard_loads_nothing_of_the_daemon_but_the_protocol():
    """Whoever starts it on a laptop needs no driver, no server and no store."""
    program = "import json, sys, tui.__main__; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    ours = {
        ".".join(name.split(".")[:2])
        for name in json.loads(run.stdout)
        if name.split(".")[0] in {"engarde_daemon", "actors", "sql"}
    }
    assert ours == {"engarde_daemon", "engarde_daemon.protocol"}
