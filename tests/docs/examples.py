"""The examples of a Markdown file, and how they are run.

    ```sql       goes to psql (-Xq), one session for the file: superuser postgres in database
                 postgres, until a \\connect; without a text block after it, it must raise no error
    ```python    is executed, all blocks of a file in one namespace; libpq's variables name the server
    ```console   lines with $ go to bash in the root of the tree, the others are their output
    ```text      right after one of these is its output: trailing blanks aside, `...` stands for
                 anything within a line, and on a line of its own for any lines
    ```sh        changes the machine and is not run; make targets and scripts in it must exist

`<!-- hidden` ... `-->` holds blocks that are run and not shown.
"""

import contextlib
import io
import os
import queue
import re
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import Server
from harness.process import clean_environment
from harness.server import tree

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
MARKER = "--- end of the block ---"


@dataclass
class Example:
    line: int
    language: str
    code: str
    expected: str | None = None


def examples(text: str) -> list[Example]:
    """The runnable blocks of a Markdown text, each with the text block that follows it."""
    found: list[Example] = []
    end = -1
    for match in FENCE.finditer(text):
        language, code = match.groups()
        if language == "text":
            if found and not text[end : match.start()].strip():
                found[-1].expected = code
        elif language in ("sql", "python", "console", "sh"):
            found.append(Example(text.count("\n", 0, match.start()) + 1, language, code))
        end = match.end()
    return found


def matches(output: str, expected: str) -> bool:
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == "..." else re.escape(line.rstrip()).replace(r"\.\.\.", ".*") + "\n"
        for line in expected.rstrip().splitlines()
    )
    return re.fullmatch(pattern, normal(output) + "\n") is not None


def normal(output: str) -> str:
    return "\n".join(line.rstrip() for line in output.strip("\n").splitlines()).rstrip()


class Psql:
    """One psql session that is fed block by block."""

    def __init__(self, server: Server) -> None:
        self.process = subprocess.Popen(
            [str(tree() / "bin" / "psql"), "-Xq", "-v", "SHOW_CONTEXT=never"],
            env=clean_environment() | server.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def run(self, code: str) -> str:
        """What psql prints for the lines."""
        assert self.process.stdin
        self.process.stdin.write(f"{code}\n\\warn '{MARKER}'\n")
        self.process.stdin.flush()
        output = ""
        while True:
            try:
                line = self.lines.get(timeout=60)
            except queue.Empty:
                raise TimeoutError(f"psql did not answer in 60 s; so far:\n{output}") from None
            if line.rstrip() == MARKER:
                return output
            assert line, f"psql ended:\n{output}"
            output += line

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


class Runner:
    """Runs the examples of one file, in order, on one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.psql = Psql(server)
        self.namespace: dict[str, Any] = {"__name__": "__docs__"}

    def close(self) -> None:
        self.psql.close()

    def run(self, example: Example) -> None:
        getattr(self, "_" + example.language)(example)

    def _sql(self, example: Example) -> None:
        output = self.psql.run(example.code)
        if example.expected is None:
            assert not re.search(r"^(ERROR|FATAL|invalid|\\\w+:)", output, re.M), output
        self._compare(output, example)

    def _python(self, example: Example) -> None:
        saved = dict(os.environ)
        names = self.server.environment()
        os.environ.update({name: names[name] for name in ("PGHOST", "PGPORT")})
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                exec(compile(example.code, f"line {example.line}", "exec"), self.namespace)
        finally:
            os.environ.clear()
            os.environ.update(saved)
        self._compare(output.getvalue(), example)

    def _console(self, example: Example) -> None:
        environment = clean_environment() | self.server.environment()
        environment["PATH"] = f"{tree()}/bin:{environment['PATH']}"
        environment["TENANCY_PG"] = str(tree())
        for command, expected in re.findall(r"^\$ (.*\n)((?:(?!\$ ).*\n)*)", example.code, re.M):
            done = subprocess.run(
                ["bash", "-c", command], cwd=ROOT, env=environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
            )  # fmt: skip
            if expected:
                self._compare(done.stdout, Example(example.line, "console", command, expected))
            else:
                assert done.returncode == 0, done.stdout

    def _sh(self, example: Example) -> None:
        targets = (ROOT / "scripts/targets.mk").read_text() + "all install installcheck extension install-extension"
        for target in re.findall(r"\bmake ([a-z-]+)", example.code):
            assert re.search(rf"\b{target}\b", targets), f"there is no target {target}"
        for script in re.findall(r"\bscripts/[\w-]+", example.code):
            assert (ROOT / script).exists(), f"there is no {script}"

    def _compare(self, output: str, example: Example) -> None:
        if example.expected is not None:
            assert matches(output, example.expected), f"expected:\n{example.expected}\ngot:\n{output}"
