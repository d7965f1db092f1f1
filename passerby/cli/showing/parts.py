"""How far long work is: a bar for each of its parts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Show(Protocol):
    """Shows that so much of `part` is done, of how much, and a word about it."""

    def __call__(self, part: str, done: float, total: float, word: str) -> None: ...


@contextmanager
def parts_shown() -> Iterator[Show]:
    """Bars on stderr, where they do not get between a pipe and its reader; one appears when its part begins."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[word]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(part: str, done: float, total: float, word: str) -> None:
            if part not in tasks:
                tasks[part] = bars.add_task(part, total=total, word=word)
            bars.update(tasks[part], completed=done, word=word)

        yield show
