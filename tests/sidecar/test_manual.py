"""The manual page and the sample configuration have all that the program has."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from harness.tenancyd import PROGRAM

SIDECAR = Path(__file__).resolve().parents[2] / "sidecar"
PAGE = SIDECAR / "man" / "tenancyd.8"
SAMPLE = SIDECAR / "tenancyd.toml"
COMMANDS = ["run", "check", "protect", "adopt", "status", "forget-store", "lint", "version"]
INLINE_SECRETS = {"password", "backup_password"}
SECTIONS = {
    "": "",
    "postgres": "[postgres]\n",
    "stores.one": '[stores.one]\nkind = "redis"\n',
    "stores.one.tls": '[stores.one]\nkind = "redis"\naddresses = ["a:1"]\n[stores.one.tls]\n',
    "reconcile": "[reconcile]\n",
    "http": "[http]\n",
    "log": "[log]\n",
    "check": "[check]\n",
}


def help_of(*command: str) -> str:
    return subprocess.run([PROGRAM, *command, "--help"], capture_output=True, text=True, check=True).stdout


def page_text() -> str:
    """The page as it is read: without overstrikes, on one line."""
    shown = subprocess.run(["man", "-l", str(PAGE)], capture_output=True, text=True, check=True,
                           env={"MANWIDTH": "400", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    return re.sub(r"\s+", " ", re.sub(r".\x08", "", shown.stdout))


def known_keys(section: str, tmp_path: Path) -> list[str]:
    """What the program says it knows, asked with a key that is like none of them."""
    file = tmp_path / "tenancyd.toml"
    head = "" if section in ("", "postgres") else '[postgres]\nconninfo = "dbname=shop"\n'
    file.write_text(head + SECTIONS[section] + "zzzzzzzzzzzzzzzz = 1\n")
    done = subprocess.run([PROGRAM, "status", "-c", file], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    found = re.search(r"known are (.*)$", done.stderr, re.M)
    assert found, done.stderr
    return found[1].split(", ")


def test_page_has_no_warnings():
    done = subprocess.run(["man", "--warnings", "-l", str(PAGE)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_warnings_are_noticed(tmp_path):
    broken = tmp_path / "broken.8"
    broken.write_text(PAGE.read_text() + ".Xq no such macro\n.El\n")
    done = subprocess.run(["man", "--warnings", "-l", str(broken)], capture_output=True, text=True)
    assert done.stderr


def test_commands_are_those_of_the_program():
    listed = re.findall(r"^  ([a-z-]+) {2,}\S", help_of().partition("Subcommands:")[2], re.M)
    assert listed == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_page_has_every_command_and_option(command):
    page = page_text()
    assert f"tenancyd {command}" in page
    options = set(re.findall(r"(--[a-z-]+)", help_of(command))) - {"--help"}
    missing = [option for option in options if option not in page]
    assert not missing


@pytest.mark.parametrize("section", SECTIONS)
def test_page_and_sample_have_every_key(section, tmp_path):
    page, sample = page_text(), SAMPLE.read_text()
    tables = {"postgres", "stores", "reconcile", "http", "log", "check", "tls"}
    for key in set(known_keys(section, tmp_path)) - INLINE_SECRETS:
        written = rf"^#?\[.*{key}" if key in tables else rf"\b{key} = "
        assert re.search(written, sample, re.M), f"the sample lacks {key}"
        assert f"[{key}" in page or key in page, f"the page lacks {key}"


def uncommented(tmp_path: Path) -> Path:
    """The sample with every key, and the files that it names."""
    text = re.sub(r"^#(?=[\[a-z_])", "", SAMPLE.read_text(), flags=re.M)
    for name in set(re.findall(r'"/etc/tenancy/([^"]+)"', text)):
        (tmp_path / name).write_text("secret\n")
        (tmp_path / name).chmod(0o600)
    file = tmp_path / "tenancyd.toml"
    file.write_text(text.replace("/etc/tenancy", str(tmp_path)))
    return file


def test_sample_can_be_used_as_it_is_and_uncommented(tmp_path):
    """Both are read; only then is there no such database."""
    for file in (SAMPLE, uncommented(tmp_path)):
        done = subprocess.run([PROGRAM, "status", "-c", file], capture_output=True, text=True,
                              env=os.environ | {"PGCONNECT_TIMEOUT": "2"})
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        assert "postgresql: " in done.stderr
