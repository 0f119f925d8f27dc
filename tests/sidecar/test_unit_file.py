"""The systemd unit: understood by systemd, and hardened."""

import re
import subprocess
from pathlib import Path

from harness.tenancyd import PROGRAM

UNIT = Path(__file__).resolve().parents[2] / "sidecar" / "systemd" / "tenancyd.service"
MOST_EXPOSURE = 1.5


def analyze(*arguments: str) -> str:
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def exposure(unit: Path) -> float:
    report = analyze("security", "--offline=yes", "--no-pager", str(unit))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", report)
    assert found, report
    return float(found[1])


def test_exposure():
    assert exposure(UNIT) <= MOST_EXPOSURE


def test_exposure_is_measured(tmp_path):
    """Without its hardening the same unit is far from it."""
    bare = tmp_path / "tenancyd.service"
    kept = r"(?m)^(?!\[|#|Type|ExecStart|Description).*\n"
    bare.write_text(re.sub(kept, "", UNIT.read_text()))
    assert exposure(bare) > 8


def test_systemd_understands_every_line(tmp_path):
    unit = tmp_path / "tenancyd.service"
    unit.write_text(UNIT.read_text().replace("/usr/local/sbin/tenancyd", str(PROGRAM)))
    assert analyze("verify", "--man=no", str(unit)) == ""


def test_a_wrong_line_is_noticed(tmp_path):
    unit = tmp_path / "tenancyd.service"
    text = UNIT.read_text().replace("/usr/local/sbin/tenancyd", str(PROGRAM))
    unit.write_text(text.replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in analyze("verify", "--man=no", str(unit))


def test_what_tenancyd_counts_on():
    lines = UNIT.read_text().splitlines()
    assert {"Type=notify", "DynamicUser=yes", "Environment=MONGOC_DISABLE_SHM=1", "StateDirectory=tenancyd"} <= set(lines)
    [watchdog] = [int(line.partition("=")[2]) for line in lines if line.startswith("WatchdogSec=")]
    [stop] = [int(line.partition("=")[2]) for line in lines if line.startswith("TimeoutStopSec=")]
    assert watchdog >= 30
    assert stop > 20, "tenancyd drains for 20 seconds"
