"""`deploy/systemd/engarde.service`: read by systemd's own tools, without a running systemd."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "engarde.service"
EXPOSURE_MAX = 1.5

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine"
)


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What `systemd-analyze` says."""
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=30
    )


def test_it_is_hardened():
    """0 is the safest and 10 the least safe, as systemd reckons."""
    done = analyze(
        "security",
        "--offline=true",
        "--no-pager",
        f"--threshold={EXPOSURE_MAX * 10:.0f}",
        str(UNIT),
    )

    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_systemd_understands_every_line(tmp_path: Path):
    """A key that it does not know would be a hole that nobody sees."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/engarde/bin/engarde", "/bin/true"))

    done = analyze("verify", "--man=no", str(unit))

    assert (done.returncode, done.stderr) == (0, "")
