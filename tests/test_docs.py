"""What README and docs show exists: each `passerby` command with its options, each link, and the cheap commands run."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from passerby.cli.app import app

TREE = Path(__file__).parents[1]
PAGES = sorted([TREE / "README.md", *(TREE / "docs").glob("*.md")])

_COMMAND = re.compile(r"(?:^|[`$] *)passerby +([a-z][^`|#\n]*)", re.MULTILINE)
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


def shown_commands() -> list[tuple[str, str]]:
    """(page, what stands after `passerby`) of every command that is shown, without its explanation."""
    return [
        (page.name, re.split(r"  |\s->|\s&$|\\$", match.group(1).strip())[0].strip(" `.,;:"))
        for page in PAGES
        for match in _COMMAND.finditer(page.read_text(encoding="utf-8"))
    ]


def resolve(words: list[str]) -> Any:
    """The command that words name, or None."""
    command: Any = typer.main.get_command(app)
    with command.make_context("passerby", ["config"], resilient_parsing=True) as context:
        while words and hasattr(command, "get_command"):
            found = command.get_command(context, words.pop(0))
            if found is None and command.invoke_without_command:
                break
            command = found
    return command


@pytest.mark.parametrize(("page", "shown"), shown_commands())
def test_every_command_shown_exists_with_its_options(page: str, shown: str) -> None:
    words = re.sub(r"[\[\]]", " ", shown).split()
    command = resolve([word for word in words if not word.startswith("-")])
    assert command is not None, f"{page} shows `passerby {shown}`, which is no command"
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = set(_OPTION.findall(shown)) - known - {"--help"}
    assert not unknown, f"{page}: `passerby {shown}` has no {', '.join(sorted(unknown))}"


def all_commands() -> list[str]:
    """Every command of the command line, groups spelled out: `models pull`."""
    root: Any = typer.main.get_command(app)
    names = []
    with root.make_context("passerby", ["config"], resilient_parsing=True) as context:
        for name in root.list_commands(context):
            command = root.get_command(context, name)
            inner = [one for one, it in getattr(command, "commands", {}).items() if not it.hidden]
            names += [f"{name} {one}" for one in inner] or [name]
    return names


@pytest.mark.parametrize("command", all_commands())
def test_every_command_is_described_somewhere(command: str) -> None:
    assert any(f"passerby {command}" in page.read_text(encoding="utf-8") for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["config", "schema"], ["models", "list", "--json"]])
def test_the_commands_that_need_nothing_run(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "passerby", *arguments]
    done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
