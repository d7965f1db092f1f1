"""The timeline: its tools stand in a row, and what it shows is taken along as files."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.dashboard.looking import Looker


@pytest.mark.parametrize("width", [1024, 1280])
def test_the_tools_stand_in_one_row(browser: Browser, address: str, width: int) -> None:
    with Looker(browser, address, width=width) as look:
        page = look.at("/timeline")
        tools = page.locator(".toolbar .btn")
        assert len({round(box["y"]) for tool in tools.all() if (box := tool.bounding_box())}) == 1
        assert page.evaluate("(t => t.scrollWidth - t.clientWidth)(document.querySelector('.toolbar'))") == 0
        assert look.beyond_the_edge() == 0
        assert look.complaints == []


def test_what_is_exported_is_the_time_that_is_shown(look: Looker) -> None:
    page = look.at("/timeline")

    def exported() -> list[int]:
        page.click("text=Export…")
        with page.expect_download() as download:
            page.click("[data-exports] >> text=JSON lines")
        page.click("#export >> text=Cancel")
        lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["tracklet"] for line in lines]

    page.get_by_role("button", name="All", exact=True).click()
    everybody = exported()
    assert {1, 2, 3, 4} < set(everybody)
    page.focus(".lanes canvas")
    for key in ("+", "+", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    fewer = exported()
    assert 0 < len(fewer) < len(everybody)
