"""scripts/complete: a test that no runner ran is found."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "complete"


@pytest.fixture
def project(tmp_path):
    """A tree in which every test was run."""
    for folder in ("scripts", "tests/pgtap/helpers", "tests/e2e", "tests/unit", "build/check"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "scripts")
    for name in ("pgtap/a.sql", "pgtap/helpers/setup.sql", "e2e/test_b.py"):
        (tmp_path / "tests" / name).touch()
    (tmp_path / "build/check/pgtap.log").write_text("[12:00:01] tests/pgtap/a.sql .. ok   12 ms\n")
    (tmp_path / "build/check/pytest.files").write_text(f"{tmp_path}/tests/e2e/test_b.py\n")
    return tmp_path


def complete(project):
    command = ["python3", str(project / "scripts" / "complete")]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_all_run(project):
    assert complete(project) == (0, "complete: 0 test files or tests were not run\n")


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("pgtap/area/c.sql", "", "tests/pgtap/area/c.sql: pg_prove did not run it"),
        ("isolation/test_d.py", "", "tests/isolation/test_d.py: pytest ran nothing of it"),
        ("isolation/d_test.py", "", "tests/isolation/d_test.py: pytest ran nothing of it"),
        ("unit/e_test.cpp", "TEST(Suite, works) {}", "ctest does not run Suite.works"),
        ("unit/e_test.cpp", "", "tests/unit/e_test.cpp: has no test"),
        ("fuzz/h.cpp", "", "tests/fuzz/h.cpp: scripts/fuzz did not run it"),
        ("fuzz/h.cpp", "", "tests/fuzz/h.cpp: has no seeds in tests/fuzz/corpus/h"),
        ("../pg_extension/core/i.cpp", "", "pg_extension/core/i.cpp: no fuzz target tests/fuzz/i.cpp"),
        ("e2e/f_test.cpp", "TEST(F, f) {}", "no runner takes a .cpp file from here"),
        ("isolation/g_test.spec", "", "no runner takes a .spec file from here"),
    ],
)
def test_not_run(project, path, text, found):
    (project / "tests" / path).parent.mkdir(parents=True, exist_ok=True)
    (project / "tests" / path).write_text(text)
    status, output = complete(project)
    assert status == 1 and found in output
