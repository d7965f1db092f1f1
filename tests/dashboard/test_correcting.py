"""What an operator corrects in the browser, and takes back."""

from pathlib import Path

from playwright.sync_api import expect

from hub.reader import SiteReader
from tests.dashboard.looking import Looker


def whose(folder: Path) -> dict[int, int | None]:
    """The person of each tracklet."""
    with SiteReader(folder / "data") as reader:
        return {tracklet.number: tracklet.identity_id for tracklet in reader.tracklets()}


def test_a_name_is_given_and_taken_back(look: Looker, folder: Path) -> None:
    page = look.at("/person/1")
    page.keyboard.press("n")
    page.locator("#rename input[name=name]").fill("<b>Ada</b>")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("<b>Ada</b>")
    look.undo()
    expect(page.locator("h1")).to_have_text("Person 1")


def test_two_are_merged_and_come_apart(look: Looker, folder: Path) -> None:
    page = look.at("/person/1")
    page.get_by_role("button", name="Same as").click()
    page.locator("#merge input[name=other]").fill("Person 2")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Person 2 is person 1")
    expect(page.locator(".shots figure")).to_have_count(3)
    assert whose(folder)[3] == 1
    look.undo()
    expect(page.locator(".shots figure")).to_have_count(2)
    assert whose(folder)[3] == 2


def test_a_sighting_is_split_off_and_comes_back(look: Looker, folder: Path) -> None:
    page = look.at("/person/1")
    page.get_by_label("choose sighting 2").check()
    page.get_by_role("button", name="Together somebody else").click()
    expect(page.locator(".shots figure")).to_have_count(1)
    assert whose(folder)[2] not in (1, None)
    look.undo()
    expect(page.locator(".shots figure")).to_have_count(2)
    assert whose(folder)[2] == 1


def test_what_cannot_be_done_is_told(look: Looker) -> None:
    page = look.at("/person/1")
    page.get_by_role("button", name="Not Person 1").click()
    expect(page.locator(".toast")).to_contain_text("choose the one picture")


def test_a_question_is_answered_by_a_key_and_is_open_again_when_undone(look: Looker) -> None:
    page = look.at("/review")
    expect(page.locator(".head")).to_contain_text("1 of 1")
    page.keyboard.press("d")
    expect(page.locator("#page")).to_contain_text("Nothing to be answered")
    expect(page.locator(".toast")).to_contain_text("Different")
    look.undo()
    page.get_by_role("link", name="Also where somebody was unsure").click()
    expect(page.locator(".head")).to_contain_text("1 of 1")


def test_erasing_asks_for_the_number_first(look: Looker, folder: Path) -> None:
    page = look.at("/person/4")
    page.get_by_role("button", name="Erase…").click()
    page.locator("#erase input[name=sure]").fill("3")
    page.get_by_role("button", name="Erase for good").click()
    assert 5 in whose(folder)
    page.locator("#erase input[name=sure]").fill("4")
    page.get_by_role("button", name="Erase for good").click()
    page.wait_for_url("**/identities")
    expect(page.locator(".toast")).to_contain_text("Person 4 is erased")
    assert 5 not in whose(folder)
