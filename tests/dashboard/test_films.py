"""The tabs of known people, by films: frames are chosen by eye, and the answer comes when it is there."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.dashboard.looking import Looker
from tests.passerby.test_web_films import ANN, film

_LOOKED_AT_MS = 180_000
"""A process that gives way to all others may need so long where there are many."""


def bring(page: Page, file: Path) -> None:
    page.set_input_files("input[type=file]", file)
    expect(page.locator("[data-film] img[data-shows=to_frame]")).to_be_visible()


def test_somebody_is_enrolled_verified_and_identified_by_a_film(look: Looker, tmp_path: Path) -> None:
    file = tmp_path / "ann.mp4"
    file.write_bytes(film(ANN))
    page = look.at("/enrolment")
    bring(page, file)
    expect(page.locator("[data-film] legend")).to_contain_text("24 frames")
    page.fill("input[name=from_frame]", "22")
    page.press("input[name=from_frame]", "Tab")
    expect(page.locator("[data-second=from_frame]")).to_have_text("at 4.2 s")
    expect(page.locator("img[data-shows=from_frame]")).to_have_attribute("src", re.compile(r"/frames/22\?"))
    page.fill("input[name=to_frame]", "3")
    page.press("input[name=to_frame]", "Tab")
    expect(page.locator("input[name=from_frame]")).to_have_value("3")  # the first is not after the last
    page.fill("input[name=from_frame]", "1")
    page.fill("input[name=to_frame]", "24")
    page.fill("[name=name]", "Ann")
    page.check("[name=largest]")
    page.click("text=Enroll")
    expect(page.locator("[data-poll] .phases")).to_be_visible()
    expect(page.locator("#answer h2")).to_have_text("Ann is enrolled", timeout=_LOOKED_AT_MS)
    assert (look.barriers(), look.beyond_the_edge()) == ([], 0)
    page = look.at("/enrolment?tab=verify")
    bring(page, file)
    page.check("[name=largest]")
    page.click("text=Compare")
    expect(page.locator("#answer h2")).to_have_text("This is Ann", timeout=_LOOKED_AT_MS)
    page = look.at("/enrolment?tab=identify")
    bring(page, file)
    page.click("button.primary")
    expect(page.locator("#answer h2", has_text="This is Ann").first).to_be_visible(timeout=_LOOKED_AT_MS)
    assert look.barriers() == []
    page = look.at("/enrolment")
    page.click("text=Remove…")
    page.click("text=Remove for good")
    expect(page.locator("text=Nobody is enrolled")).to_be_visible()


def test_what_is_no_film_is_said_beside_it_and_a_question_can_be_cancelled(look: Looker, tmp_path: Path) -> None:
    page = look.at("/enrolment")
    broken, file = tmp_path / "broken.mp4", tmp_path / "ann.mp4"
    broken.write_bytes(b"no film")
    file.write_bytes(film(ANN, frames=120))
    page.set_input_files("input[type=file]", broken)
    expect(page.locator("[data-film-here] [role=alert]")).to_contain_text("broken.mp4 is no film that is taken")
    assert [told for told in look.complaints if "422" not in told] == []
    look.complaints.clear()
    bring(page, file)
    page.fill("[name=name]", "Ann")
    page.click("text=Enroll")
    page.click("[data-poll] >> text=Cancel")
    expect(page.locator("#answer h2")).to_have_text("Cancelled")
    page.click("text=Another one")
    expect(page.locator("[data-film]")).to_have_count(0)
