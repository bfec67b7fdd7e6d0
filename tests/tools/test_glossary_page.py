"""The page of words: is it what the glossary gives?"""

import importlib.util
from pathlib import Path

PATH = Path(__file__).parents[2] / "tools" / "glossary_page.py"


def test_the_page_is_what_the_glossary_gives():
    found = importlib.util.spec_from_file_location("glossary_page", PATH)
    tool = importlib.util.module_from_spec(found)
    found.loader.exec_module(tool)
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run python tools/glossary_page.py"
