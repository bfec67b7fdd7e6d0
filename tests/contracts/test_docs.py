"""Documents: do their links lead somewhere, are the files they name there, and is every page in the index?"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# Pages about the past name files as they were then.
OF_THE_PAST = ("docs/log.md", "CHANGELOG.md")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
NAMED = re.compile(r"`((?:src|tests|tools|benchmarks|docs)/[\w./-]+\.(?:py|md|toml|json))`")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file(page):
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert links == []


@pytest.mark.parametrize("page", [page for page in PAGES if name_of(page) not in OF_THE_PAST], ids=name_of)
def test_every_file_that_is_named_is_there(page):
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_is_in_the_index():
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text(encoding="utf-8"))}
    assert {page for page in (ROOT / "docs").rglob("*.md") if page != index} <= linked


# A row beyond this many characters is a paragraph.
LONGEST_ROW = 400
LONGEST_LINE = 128
ADDRESS = re.compile(r"https?://\S+|\]\([^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lines_fit_and_rows_of_tables_are_no_paragraphs(page):
    """Rows of tables cannot be broken, nor can addresses; anything else can."""
    lines = [*enumerate(page.read_text(encoding="utf-8").splitlines(), start=1)]
    rows = [number for number, line in lines if line.startswith("|") and len(line) > LONGEST_ROW]
    assert rows == []
    assert [number for number, line in lines if not line.startswith("|") and len(ADDRESS.sub("](", line)) > LONGEST_LINE] == []
