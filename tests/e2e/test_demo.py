"""`make demo`: it holds what it shows, fails when something does not hold, and ends."""

import os
import re
import shutil
import subprocess

import pytest
from harness.server import ROOT, tree


@pytest.fixture
def project(tmp_path):
    """A copy of the demo, whose server is gone afterwards, whatever happens."""
    for part in ("scripts", "demo"):
        shutil.copytree(ROOT / part, tmp_path / part)
    yield tmp_path
    run(tmp_path, "demo-down")


def run(project, script):
    environment = os.environ | {"DEMO_PG": str(tree())}
    command = ["bash", str(project / "scripts" / script)]
    return subprocess.run(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )


def test_the_demo_holds_stays_up_and_ends(project):
    done = run(project, "demo")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^All \d\d expectations held, in 10 steps", done.stdout, re.M), done.stdout
    assert "NOT AS EXPECTED" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100

    server = (project / "build/demo/server").resolve()
    environment = os.environ | {"PGSERVICEFILE": str(project / "build/demo/service.conf")}
    psql = [str(tree() / "bin/psql"), "service=postgres", "-XAtc", "select count(*) from messages"]
    assert subprocess.run(psql, env=environment, capture_output=True, text=True).stdout == "180050\n"

    assert "has ended" in run(project, "demo-down").stdout
    assert not server.exists() and not (project / "build/demo").exists()
    assert run(project, "demo-down").stdout == "demo-down: no demo is there\n"


def test_an_expectation_that_does_not_hold_fails_the_demo(project):
    tour = project / "demo/tour.sh"
    sabotaged = tour.read_text().replace("initech='50 |", "initech='51 |")
    assert sabotaged != tour.read_text()
    tour.write_text(sabotaged)
    done = run(project, "demo")
    assert done.returncode == 1
    assert re.search(r"^2 of \d\d expectations did not hold", done.stdout, re.M), done.stdout[-3000:]


def test_a_preparation_that_fails_says_so(project):
    with open(project / "demo/schema.sql", "a", encoding="utf-8") as schema:
        schema.write("SELECT 1/0;\n")
    done = run(project, "demo")
    assert done.returncode == 1
    assert "division by zero" in done.stdout and "make demo-down" in done.stdout
