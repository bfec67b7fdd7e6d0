"""The page of flags: is it what the table gives, and does every flag that a command takes stand in it?"""

import importlib.util
from pathlib import Path

import typer.main

from pretune.cli.app import app
from pretune.wording.flags import FLAGS

PATH = Path(__file__).parents[2] / "tools" / "flags_page.py"


def load():
    found = importlib.util.spec_from_file_location("flags_page", PATH)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_page_is_what_the_table_gives():
    tool = load()
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run python tools/flags_page.py"


def test_every_command_takes_the_flags_of_its_name_and_no_others():
    commands = typer.main.get_command(app).commands
    taken = {(name, item.opts[0]) for name, command in commands.items() for item in command.params}
    known = {(name, flag.typed) for flag in FLAGS for name in flag.commands.split()}
    assert {item for item in taken if item[1].startswith("--")} - {(name, "--help") for name in commands} == known
