"""The page of an adaptation: what the gate has found, drawn for both models; and when the next one begins by itself."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from passerby.adaptation.job import VERDICT, Job, JobBook, JobProgress
from passerby.adaptation.verdict import write_verdict
from tests.dashboard.looking import Looker
from tests.passerby.test_adaptation_job import REQUEST
from tests.training.gate.test_judging import HELD_OUT, PARENT, RANDOM, SNAPSHOT, guard_of
from training.gate.judging import judge


@pytest.fixture(scope="module")
def job(folder: Path) -> Iterator[Job]:
    """One that the gate has judged; nothing is left of it."""
    job = JobBook(folder / "data").ask(REQUEST)
    verdict = judge(SNAPSHOT, HELD_OUT, parent=PARENT, candidate=RANDOM, guard=guard_of(worse=True), seed=1)
    write_verdict(verdict, job.folder / VERDICT)
    job.tell(JobProgress(state="refused", at_ns=time.time_ns(), reason="; ".join(verdict.reasons)))
    yield job
    job.clear()
    for file in job.folder.iterdir():
        file.unlink()
    job.folder.rmdir()


def test_when_it_adapts_by_itself_is_set_and_what_it_lacks_is_told(look: Looker, address: str) -> None:
    page = look.at("/adaptation")
    card = page.locator("#job-schedule")
    expect(card).to_contain_text("By hand alone")
    card.get_by_role("button", name="Change…").click()
    page.get_by_label("Begins").select_option("Daily")
    expect(page.get_by_label("Hours between two")).to_be_hidden()
    page.get_by_label("At, the hub's local time").fill("04:15")
    page.get_by_label("Once so many sightings are new").fill("1200")
    assert look.barriers() == []
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_have_text(re.compile("^Adapts daily 04:15, once 1,200 sightings are new"))
    expect(card).to_contain_text(re.compile(r"\d+ of 1,200"))
    expect(card).to_contain_text(re.compile(r"as soon as 1,1\d\d more sightings are new"))
    expect(card).to_contain_text("Set bylocal")
    assert look.barriers() == []
    found = httpx.get(f"{address}/api/v1/adaptations/schedule").json()
    assert (found["schedule"], found["min_new_tracklets"], found["told_by"]) == ("daily 04:15", 1200, "local")
    card.get_by_role("button", name="Change…").click()
    page.get_by_role("button", name="As in the site file").click()
    expect(card).to_contain_text("By hand alone")
    expect(look.at("/system").get_by_role("row", name=re.compile("adaptations.schedule"))).to_have_count(2)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1024)])
def test_what_the_gate_found_is_drawn_for_both_models(
    browser: Browser, address: str, job: Job, theme: str, width: int
) -> None:
    with Looker(browser, address, theme="dark" if theme == "dark" else "light", width=width) as look:
        page = look.at(f"/adaptation/{job.number}")
        expect(page.get_by_role("row", name=re.compile("guard mAP")).first.get_by_role("img")).to_have_accessible_name(
            re.compile(r"^change [+-]\d.\d{3}, from [+-]\d.\d{3} to [+-]\d.\d{3}$")
        )
        for name, told in (("ROC", "at 0.01: before 1.000, after 0."), ("CMC", "at 1: before 0.460, after 0.")):
            curves = page.get_by_role("img", name=re.compile(f"^{name}.*{re.escape(told)}"))
            expect(curves).to_be_visible()
            expect(curves.locator("polyline.before")).to_have_count(1)
            expect(curves.locator("polyline.after")).to_have_count(1)
            strokes = [
                curves.locator(f"polyline.{model}").evaluate("line => getComputedStyle(line).stroke")
                for model in ("before", "after")
            ]
            assert len({*strokes, "none"}) == 3
        for summary in page.get_by_text("In numbers").all():
            summary.click()
        expect(page.get_by_role("columnheader", name="rank", exact=True)).to_be_visible()
        assert look.barriers() == []
        assert look.beyond_the_edge() <= 0
        assert look.complaints == []
