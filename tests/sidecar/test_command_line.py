"""The command line: usage, exit statuses, what is refused before anything is done."""

import os
import subprocess

import pytest
from harness.tenancyd import PROGRAM


def run(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)


def refused(*arguments: object) -> str:
    """What is said of a command line that cannot be used."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_version():
    assert run("version").stdout == run("--version").stdout == "tenancyd 0.1.0\n"


def test_no_command_shows_the_commands():
    assert "forget-store" in refused()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "tenancyd: there is no command chek; did you mean check?\nhint: The commands are run, check, protect, "),
        (["frob"], "tenancyd: there is no command frob\nhint: The commands are run, check, protect, adopt, status, "
                   "forget-store, lint, version. See tenancyd --help.\n"),
        (["run", "--confg", "x"], "--confg"),
        (["run", "-c", "/none.toml"], "tenancyd: /none.toml: cannot be read; name another file with --config"),
        (["protect"], "relation is required"),
        (["protect", "t", "--harden-keys", "some"], "references"),
        (["protect", "t", "--attempts", "0"], "attempts"),
        (["protect", "t", "--conninfo", "host"], "--conninfo is not a connection string"),
        (["protect", "t", "--conninfo", "password=hunter2"], "--conninfo has a password in it"),
        (["protect", "t", "--conninfo", "host=a", "--service", "b"], "both given"),
        (["protect", "t", "--service", "b host=a"], "--service is the name"),
        (["adopt"], "--as is required"),
        (["adopt", "--as", "owner"], "member"),
        (["forget-store", "cache"], "--reason is required"),
        (["lint", "--format", "xml"], "sarif"),
        (["lint", "--fail-on", "much"], "never"),
        (["lint", "--expect", "a", "--write-manifest", "b"], "leave one out"),
        (["forget-store", "cache", "--reason", "r", "--conninfo", "postgresql://a:hunter2@b"], "has a password in it"),
    ],
)
def test_refused(arguments, said):
    text = refused(*arguments)
    assert said in text
    assert "hunter2" not in text


def test_a_wrong_line_of_the_configuration_is_named(tmp_path):
    file = tmp_path / "t.toml"
    file.write_text('[postgres]\nconninfo = "dbname=shop"\n[stores.cache]\nkind = "redis"\naddress = ["a:1"]\n')
    for command in (["run"], ["check"], ["status"], ["adopt", "--as", "member"]):
        assert refused(*command, "-c", file) == (
            f'tenancyd: {file}:5:1: unknown key "address" in [stores.cache]; did you mean "addresses"?\n'
        )


def test_run_takes_no_password_from_the_environment(tmp_path):
    file = tmp_path / "t.toml"
    file.write_text('[postgres]\nconninfo = "dbname=shop"\n')
    done = run("run", "-c", file, env=os.environ | {"PGPASSWORD": "hunter2"})
    assert done.returncode == 2
    assert "PGPASSWORD is set" in done.stderr and "hunter2" not in done.stderr


def test_run_needs_its_http_address(tmp_path):
    file = tmp_path / "t.toml"
    file.write_text('[postgres]\nconninfo = "dbname=shop"\n[http]\nlisten = "192.0.2.1:80"\n')
    done = run("run", "-c", file)
    assert done.returncode == 2
    assert "cannot listen on 192.0.2.1:80" in done.stderr
