"""`make demo`: it holds what it shows, fails when something does not hold, and ends."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from harness.server import ROOT, tree
from harness.waiting import wait_for


@pytest.fixture
def project(tmp_path):
    """A copy of the demo, whose servers are gone afterwards, whatever happens."""
    for part in ("scripts", "demo"):
        shutil.copytree(ROOT / part, tmp_path / part)
    yield tmp_path
    run(tmp_path, "demo-down")


def environment():
    """What the demo would build is built already."""
    return os.environ | {
        "DEMO_PG": str(tree()),
        "DEMO_TENANCYD": str(ROOT / "build/unit/sidecar/tenancyd"),
        "DEMO_MONGODB": str((ROOT / "build/mongodb-server").resolve()),
        "DEMO_PYTHON": sys.executable,
    }


def run(project, script):
    return subprocess.run(
        ["bash", str(project / "scripts" / script)],
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )


def processes_of(place):
    """The processes whose command line names something in the servers' directory."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(place).encode() in (process / "cmdline").read_bytes():
                found.add(int(process.name))
        except OSError:
            pass
    return found


def server_place(project):
    return (project / "build/demo/server").resolve()


def sabotage(file, what, by):
    text = file.read_text()
    assert what in text
    file.write_text(text.replace(what, by))


def test_the_demo_holds_stays_up_and_ends(project):
    done = run(project, "demo")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^All \d\d expectations held, in 16 steps", done.stdout, re.M), done.stdout
    assert "NOT AS EXPECTED" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100

    place = server_place(project)
    services = os.environ | {"PGSERVICEFILE": str(project / "build/demo/service.conf")}
    psql = [str(tree() / "bin/psql"), "service=postgres", "-XAtc", "select count(*) from messages"]
    assert subprocess.run(psql, env=services, capture_output=True, text=True).stdout == "180050\n"
    for server in ("redis", "mongodb", "tenancyd"):
        assert int((place / server / "pid").read_text()) in processes_of(place)

    assert "has ended" in run(project, "demo-down").stdout
    assert processes_of(place) == set()
    assert not place.exists() and not (project / "build/demo").exists()
    assert run(project, "demo-down").stdout == "demo-down: no demo is there\n"


def test_expectations_that_do_not_hold_fail_the_demo(project):
    sabotage(project / "demo/tour.sh", "initech_rows='50 |", "initech_rows='51 |")
    sabotage(project / "demo/take_turn.lua", "state ~= 'active'", "false")
    done = run(project, "demo")
    assert done.returncode == 1
    assert re.search(r"^5 of \d\d expectations did not hold", done.stdout, re.M), done.stdout[-3000:]
    assert "NOT AS EXPECTED  Redis: the bot takes no turn" in done.stdout


def test_a_preparation_that_fails_says_so(project):
    with open(project / "demo/schema.sql", "a", encoding="utf-8") as schema:
        schema.write("SELECT 1/0;\n")
    done = run(project, "demo")
    assert done.returncode == 1
    assert "division by zero" in done.stdout and "make demo-down" in done.stdout


def test_an_interrupted_demo_is_ended_by_demo_down(project):
    output = project / "output"
    with open(output, "wb") as file:
        demo = subprocess.Popen(
            ["bash", str(project / "scripts/demo")],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    wait_for(lambda: "10. Each tenant" in output.read_text(), 120, "the demo to have started all servers")
    os.killpg(demo.pid, signal.SIGINT)
    assert demo.wait(120) == 130
    assert "make demo-down" in output.read_text()

    place = server_place(project)
    assert len({int((place / name / "pid").read_text()) for name in ("redis", "mongodb", "tenancyd")}) == 3
    assert "has ended" in run(project, "demo-down").stdout
    assert processes_of(place) == set() and not place.exists()


def test_demo_down_leaves_alone_what_is_not_the_demo_s(project):
    """A pid file of an earlier boot may name any process by now."""
    place = project / "build/demo/server/redis"
    place.mkdir(parents=True)
    with subprocess.Popen(["sleep", "600"]) as other:
        (place / "pid").write_text(f"{other.pid}\n")
        assert "no server was running" in run(project, "demo-down").stdout
        assert other.poll() is None
        other.kill()
    assert not place.exists()


def test_a_port_that_was_taken_meanwhile_is_replaced(project):
    """Two demos that start in the same second may find the same port free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (project / "build/demo").mkdir(parents=True)
        script = f"""
            . demo/place.sh
            printf '%s\\n' {port} 1 >candidates
            free_port() {{ head -n 1 candidates; sed -i 1d candidates; }}
            start() {{ [ "$1" -ne {port} ]; }}
            on_free_port server start && port_of server"""
        done = subprocess.run(["bash", "-euc", script], cwd=project, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "1", done


def test_a_server_that_runs_and_does_not_answer_is_not_replaced(project):
    """Its pid file would be the next one's, and nothing would end it."""
    place = project / "build/demo/server/redis"
    place.mkdir(parents=True)
    (place / "log").touch()
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        subprocess.Popen(["tail", "-f", str(place / "log")]) as silent,
    ):
        (place / "pid").write_text(f"{silent.pid}\n")
        script = f"""
            . demo/place.sh
            free_port() {{ echo {taken.getsockname()[1]}; }}
            start() {{ echo started; return 1; }}
            on_free_port redis start"""
        done = subprocess.run(["bash", "-euc", script], cwd=project, capture_output=True, text=True)
        run(project, "demo-down")
        try:
            status = silent.wait(timeout=10)
        finally:
            silent.kill()
    assert (done.returncode, done.stdout) == (1, "started\n"), done
    assert status == -signal.SIGKILL
