"""Every example in README.md and docs/ runs and prints what the text says (see examples.py)."""

import re
from pathlib import Path

import pytest

from docs.examples import ROOT, Example, Runner, examples, matches

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def title(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_examples(page, make_server):
    found = examples(page.read_text())
    if all(example.language == "sh" for example in found):
        runner = Runner.__new__(Runner)
        for example in found:
            runner.run(example)
        return
    settings = {"max_worker_processes": 8, "log_statement": "all"}
    runner = Runner(make_server(settings=settings))
    try:
        for example in found:
            try:
                runner.run(example)
            except Exception as error:
                pytest.fail(f"{title(page)}, line {example.line}:\n{example.code}\n{error!r}\n{error}", pytrace=False)
    finally:
        runner.close()


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_links(page):
    """Links within the tree lead to files that exist."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{title(page)} links to {target}"


def test_blocks_are_found():
    page = "a\n```sql\nselect 1;\n```\n\n```text\n1\n```\n<!-- hidden\n```python\nx = 1\n```\n-->\n```text\nalone\n```\n"
    assert examples(page) == [Example(2, "sql", "select 1;\n", "1\n"), Example(10, "python", "x = 1\n")]


@pytest.mark.parametrize(
    ("output", "expected", "same"),
    [
        ("a \nb\n", "a\nb\n", True),
        ("a\nb\n", "a\n", False),
        ("id 4711 here\n", "id ... here\n", True),
        ("a\nb\nc\n", "a\n...\nc\n", True),
        ("a\nb\n", "b\na\n", False),
    ],
)
def test_outputs_are_compared(output, expected, same):
    assert matches(output, expected) is same
