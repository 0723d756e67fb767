"""Schemathesis against a running daemon: every check, and nothing to be found.

In the suite it has a bounded number of examples, always the same, so that a change is judged by what
it changes, and no chains of requests, which need hundreds. `ENGARDE_SCHEMATHESIS_EXAMPLES=150` (or
more) is the long form, for a night, with new ones.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from tests.acceptance.access.conftest import House

LONG = os.environ.get("ENGARDE_SCHEMATHESIS_EXAMPLES")
EXAMPLES = int(LONG or "2")
SAME = () if LONG else ("--seed", "20261122", "--generation-deterministic")
PHASES = "examples,coverage,fuzzing,stateful" if LONG else "examples,coverage,fuzzing"
LIMIT_S = 300.0 + 10.0 * EXAMPLES
ROOT = Path(__file__).parents[3]
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
CASES_MIN = 4_000


@pytest.mark.timeout(LIMIT_S + 60.0)
async def test_nothing_contradicts_the_document(house: House, tmp_path: Path):
    """0 failures, 0 answers from 500 on, and enough cases to mean something."""
    user_id = await house.user(first="owner", second="owner")
    token = house.token(user_id, role="platform-operator", exp=int(time.time() + LIMIT_S + 60.0))

    with anyio.fail_after(LIMIT_S):
        done = await anyio.run_process(
            [
                *(
                    SCHEMATHESIS,
                    "--config-file",
                    str(Path(__file__).with_name("schemathesis.toml")),
                ),
                *("run", f"{house.daemon.process.base_url}/schema/openapi.json"),
                *("--header", f"Authorization: Bearer {token}"),
                *("--checks", "all", "--phases", PHASES),
                *("--max-examples", str(EXAMPLES), "--continue-on-failure", *SAME),
                *("--no-color", "--warnings", "off"),
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "BRAND_ID": house.tenant.brand_id},
            stderr=subprocess.STDOUT,
            check=False,
        )

    said = done.stdout.decode()
    assert done.returncode == 0, said
    generated = re.search(r"([0-9]+) generated, \1 passed", said)
    assert generated is not None, said
    assert int(generated[1]) >= CASES_MIN, said
