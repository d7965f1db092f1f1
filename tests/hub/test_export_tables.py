"""Tables that other programs read: Parquet says the same as the JSON lines."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from hub.api import make_api
from hub.association import PlainAssociator
from hub.export_tables import Export, Form, TableName, write_table
from hub.listing import Wanted
from hub.reader import SiteReader
from hub.site_hub import Hub
from passerby.errors import DataError
from passerby.ids import CameraId
from tests.hub.api.serving import fill, served, services_of, token_of
from tests.hub.people import MODEL, Sender, at, seen

pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    fill(folder)
    return folder


@pytest.fixture
def reader(data: Path) -> Iterator[SiteReader]:
    with SiteReader(data) as reader:
        yield reader


def written(reader: SiteReader, table: TableName, form: Form, **more: Any) -> bytes:
    file = io.BytesIO()
    count = write_table(reader, Export(table=table, form=form, **more), file)
    lines = file.getvalue().count(b"\n") if form == "jsonl" else pq.read_table(io.BytesIO(file.getvalue())).num_rows
    assert lines == count
    return file.getvalue()


def as_lines(reader: SiteReader, table: TableName, **more: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(reader, table, "jsonl", **more).splitlines()]


def as_parquet(reader: SiteReader, table: TableName, **more: Any) -> Any:
    return pq.read_table(io.BytesIO(written(reader, table, "parquet", **more)))


def in_ns(rows: Any, *times: str) -> list[dict[str, Any]]:
    """Rows with timestamps as the JSON lines have them."""
    ints = {name: rows.column(name).cast("int64").to_pylist() for name in times}
    plain: list[dict[str, Any]] = rows.drop_columns(list(times)).to_pylist()
    return [{**row, **{f"{name}_ns": ints[name][number] for name in times}} for number, row in enumerate(plain)]


def known(value: Any) -> Any:
    """Without what is not known, as the JSON lines leave it out."""
    if isinstance(value, dict):
        return {key: known(one) for key, one in value.items() if one is not None and one != []}
    return value


def test_tracklets_are_the_same_in_both(reader: SiteReader) -> None:
    lines = as_lines(reader, "tracklets")
    assert [line["tracklet"] for line in lines] == [1, 2, 3]
    assert {line["camera"] for line in lines} == {"hall", "lobby"}
    assert in_ns(as_parquet(reader, "tracklets"), "started_at", "ended_at") == lines


def test_events_are_the_same_in_both_with_their_evidence(reader: SiteReader) -> None:
    lines = as_lines(reader, "events")
    assert any(line["evidence"] for line in lines)
    rows = [{"evidence": {}, **known(row)} for row in in_ns(as_parquet(reader, "events"), "at")]
    assert rows == [known(line) | {"evidence": known(line["evidence"])} for line in lines]


def test_embeddings_are_the_same_in_both_and_say_whose_they_are(reader: SiteReader) -> None:
    lines, rows = as_lines(reader, "embeddings"), as_parquet(reader, "embeddings")
    assert str(rows.schema.field("embedding").type).startswith("fixed_size_list<")
    assert rows.schema.metadata[b"model"].decode() == MODEL
    assert rows.drop_columns(["embedding"]).to_pylist() == [
        {key: value for key, value in line.items() if key != "embedding"} for line in lines
    ]
    expected = np.array([line["embedding"] for line in lines], np.float32)
    np.testing.assert_array_equal(np.stack(rows.column("embedding").to_numpy()), expected)
    np.testing.assert_array_equal(expected, np.stack([one.embedding for one in reader.tracklets()]))
    assert as_lines(reader, "embeddings", model=MODEL.split("@")[0]) == lines
    with pytest.raises(DataError, match="no one model is 'another'"):
        as_lines(reader, "embeddings", model="another")


def test_only_what_is_wanted_and_may_be_seen_is_there(reader: SiteReader) -> None:
    hall = CameraId("hall")
    assert [line["camera"] for line in as_lines(reader, "tracklets", scope=frozenset({hall}))] == ["hall"]
    assert [line["camera"] for line in as_lines(reader, "embeddings", scope=frozenset({hall}))] == ["hall"]
    assert [line["camera"] for line in as_lines(reader, "tracklets", wanted=Wanted(camera=hall))] == ["hall"]
    late = Wanted(from_ns=at(20))
    assert [line["tracklet"] for line in as_lines(reader, "tracklets", wanted=late)] == [3]
    assert as_parquet(reader, "tracklets", wanted=Wanted(to_ns=0)).num_rows == 0


def test_a_site_that_has_seen_nobody_has_empty_tables(tmp_path: Path) -> None:
    Hub.open(tmp_path, associator=PlainAssociator()).close()
    with SiteReader(tmp_path) as reader:
        assert as_parquet(reader, "tracklets").num_rows == as_parquet(reader, "events").num_rows == 0
        with pytest.raises(DataError, match="nobody was seen yet"):
            as_lines(reader, "embeddings")


def test_many_rows_are_many_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.export_rows.AT_ONCE", 2)
    monkeypatch.setattr("hub.parquet.AT_ONCE", 2)
    sender = Sender()
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        told = [
            seen(one, "hall", tracklet=one, begin_s=10 * one, end_s=10 * one + 2, final=True) for one in range(1, 6)
        ]
        hub.ingest(sender.send(*told), now_ns=at(60))
    with SiteReader(tmp_path) as reader:
        assert [line["tracklet"] for line in as_lines(reader, "embeddings")] == [1, 2, 3, 4, 5]
        assert as_parquet(reader, "embeddings").num_rows == 5
        assert as_parquet(reader, "events").num_rows == len(as_lines(reader, "events"))


def test_the_web_serves_them(data: Path) -> None:
    services = services_of(data, users=["otto", "lena", "vera"])
    with served(make_api(services)) as address:
        api = f"{address}/api/v1/exports"
        otto, lena, vera = (token_of(services, name) for name in ("otto", "lena", "vera"))
        for table in ("tracklets", "events", "embeddings"):
            lines = httpx.get(f"{api}/{table}.jsonl", headers=otto)
            rows = pq.read_table(io.BytesIO(httpx.get(f"{api}/{table}.parquet", headers=otto).content))
            assert rows.num_rows == len(lines.text.splitlines()) > 0
            assert httpx.get(f"{api}/{table}.parquet", headers=vera).status_code == 403
        mine = httpx.get(f"{api}/tracklets.jsonl", headers=lena).text.splitlines()
        assert {json.loads(line)["camera"] for line in mine} == {"lobby"}
        assert httpx.get(f"{api}/events.parquet", headers=lena).status_code == 403
        assert httpx.get(f"{api}/embeddings.parquet?model=x", headers=otto).status_code == 422
    services.close()


def test_the_command_writes_whole_files_and_names_what_is_missing(data: Path, tmp_path: Path) -> None:
    def run(*arguments: str, without: str = "") -> subprocess.CompletedProcess[str]:
        hidden = f"sys.modules[{without!r}] = None; " if without else ""
        code = f"import sys; {hidden}from passerby.cli.app import main; main()"
        command = [sys.executable, "-c", code, "export", *arguments, "--data", str(data)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    out = tmp_path / "out" / "tracklets.parquet"
    missing = run("tracklets", "--out", str(out), without="pyarrow")
    assert missing.returncode != 0
    assert "pip install 'passerby[parquet]'" in missing.stderr
    assert not any(out.parent.iterdir())
    done = run("tracklets", "--out", str(out), "--camera", "hall")
    assert done.stdout.strip() == f"{out}: 1 tracklets"
    assert pq.read_table(out).num_rows == 1
    wrong = run("events", "--out", str(tmp_path / "events.csv"))
    assert "a name that ends in .parquet or .jsonl" in wrong.stderr
    assert "2 cameras" in run("tracks", "--out", str(tmp_path / "mot")).stdout
