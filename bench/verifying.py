"""What the daemon's own commands say of its stores when a load is over."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bench.errors import BenchError
from bench.systems import SYSTEMS

_ENGARDE = SYSTEMS["engarde"].command[0]
_LIMIT_S = 1800.0


def differences(data_dir: Path, environ: Mapping[str, str] | None = None) -> int:
    """How many differences `engarde verify` finds between the stores.

    Raises:
        BenchError: The command says nothing that can be read.
    """
    return int(_said("verify", data_dir, environ)["report"]["differences_total"])


def faults(data_dir: Path) -> list[str]:
    """The checks of `engarde doctor` that found a fault.

    Raises:
        BenchError: The command says nothing that can be read.
    """
    checks = _said("doctor", data_dir, None)["checks"]
    return [check["check"] for check in checks if check["state"] == "fault"]


def _said(command: str, data_dir: Path, environ: Mapping[str, str] | None) -> dict[str, Any]:
    done = subprocess.run(
        [_ENGARDE, command, "--data-dir", str(data_dir), "--json"],
        env=dict(environ or os.environ),
        capture_output=True,
        timeout=_LIMIT_S,
        check=False,
    )
    try:
        return msgspec.json.decode(done.stdout, type=dict[str, Any])
    except msgspec.DecodeError as unreadable:
        words = done.stderr.decode(errors="replace")[-500:]
        raise BenchError(f"engarde {command} said: {words}") from unreadable
