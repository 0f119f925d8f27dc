"""`make install`: all in place, and the extension alone where nobody wants the daemon.

The program is taken from the unit tests' build, where the one to be installed is built beside the one
with failpoints; `make` alone builds it into build/sidecar, from the same sources.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest
from harness.server import ROOT, tree

SIDECAR_FILES = {
    "opt/tenancy/sbin/tenancyd": 0o755,
    "opt/tenancy/lib/systemd/system/tenancyd.service": 0o644,
    "opt/tenancy/share/man/man8/tenancyd.8": 0o644,
    "etc/tenancy/tenancyd.toml.sample": 0o644,
}


def make(*arguments: object) -> str:
    command = ["make", "--no-print-directory", *map(str, arguments), f"PG_CONFIG={tree()}/bin/pg_config", "SIDECAR_BUILD=build/unit"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    destination = tmp_path_factory.mktemp("destination")
    make("install", f"DESTDIR={destination}", "PREFIX=/opt/tenancy")
    return destination


def extension_files(destination: Path) -> set[str]:
    names = r"tenancy(\.so|\.control|--.*\.sql)$"
    return {path.name for path in destination.rglob("*") if re.match(names, path.name)}


def test_everything_is_in_place(installed):
    modes = {name: (installed / name).stat().st_mode & 0o777 for name in SIDECAR_FILES}
    assert modes == SIDECAR_FILES
    assert {"tenancy.so", "tenancy.control", "tenancy--0.1.0.sql"} <= extension_files(installed)


def test_unit_starts_what_was_installed(installed):
    unit = (installed / "opt/tenancy/lib/systemd/system/tenancyd.service").read_text()
    assert "ExecStart=/opt/tenancy/sbin/tenancyd run --config /etc/tenancy/tenancyd.toml\n" in unit


def test_program_runs(installed):
    program = installed / "opt/tenancy/sbin/tenancyd"
    assert subprocess.run([program, "--version"], capture_output=True, text=True).stdout == "tenancyd 0.1.0\n"
    assert b"TENANCYD_FAILPOINT" not in program.read_bytes()


def test_failpoints_are_in_the_program_of_the_tests():
    assert b"TENANCYD_FAILPOINT" in (ROOT / "build/unit/sidecar/tenancyd_failpoints").read_bytes()


def test_extension_alone(tmp_path):
    said = make("install-extension", f"DESTDIR={tmp_path}", "PREFIX=/opt/tenancy")
    assert {"tenancy.so", "tenancy.control", "tenancy--0.1.0.sql"} <= extension_files(tmp_path)
    assert not (tmp_path / "opt").exists() and not (tmp_path / "etc").exists()
    assert "cmake" not in said


def test_extension_links_no_store():
    linked = subprocess.run(["ldd", ROOT / "tenancy.so"], capture_output=True, text=True, check=True).stdout
    assert "libsodium" in linked
    assert not re.search("mongo|bson|hiredis", linked)


def test_uninstall(tmp_path):
    make("install-sidecar", f"DESTDIR={tmp_path}", "PREFIX=/opt/tenancy")
    make("uninstall-sidecar", f"DESTDIR={tmp_path}", "PREFIX=/opt/tenancy")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
