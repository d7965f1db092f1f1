"""Users, tokens, attempts and the audit log, as they are kept."""

import contextlib
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access.attempts import Attempts
from hub.access.opening import FILE_NAME
from hub.access.records import Role
from hub.access.secrets import csrf_of, hash_word, new_word
from hub.access.store import AccessStore
from passerby.errors import DataError, StoreError
from passerby.ids import CameraId

PASSWORD = "quite a long word"  # noqa: S105


def test_who_was_added_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    with AccessStore(tmp_path) as access:
        access.add_user("lena", PASSWORD, role=Role.VIEWER, cameras=[CameraId("b"), CameraId("a"), CameraId("b")])
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    with AccessStore(tmp_path) as access:
        (lena,) = access.users()
        assert (lena.name, lena.role, lena.cameras) == ("lena", Role.VIEWER, {"a", "b"})
        assert access.is_password_of("lena", PASSWORD)
        assert not access.is_password_of("lena", PASSWORD + " ")
        assert not access.is_password_of("nobody", PASSWORD)
    assert PASSWORD.encode() not in (tmp_path / FILE_NAME).read_bytes()


@pytest.mark.parametrize("name", ["", "a b", "../x", "ann\n", "x" * 65, "-a", "ä"])
def test_a_name_that_nobody_could_type_is_refused(tmp_path: Path, name: str) -> None:
    with AccessStore(tmp_path) as access, pytest.raises(DataError, match="is no user's name"):
        access.add_user(name, PASSWORD, role=Role.VIEWER)


def test_mistakes_are_said(tmp_path: Path) -> None:
    with AccessStore(tmp_path) as access:
        access.add_user("ada", PASSWORD, role=Role.ADMIN)
        for password in ("short", "x" * 201):
            with pytest.raises(DataError, match="expected 10 to 200"):
                access.add_user("ben", password, role=Role.VIEWER)
        with pytest.raises(DataError, match="already"):
            access.add_user("ada", PASSWORD, role=Role.VIEWER)
        with pytest.raises(DataError, match="sees all cameras"):
            access.add_user("ben", PASSWORD, role=Role.ADMIN, cameras=[CameraId("a")])
        for act in (
            lambda: access.remove_user("ada"),
            lambda: access.change_user("ada", role=Role.OPERATOR, cameras=None),
        ):
            with pytest.raises(DataError, match="only administrator"):
                act()
        with pytest.raises(DataError, match="there is no user 'ben'"):
            access.set_password("ben", PASSWORD)
        for days in (0, -1, 4000, float("nan")):
            with pytest.raises(DataError, match="token for"):
                access.add_token("ada", "t", role=Role.VIEWER, days=days)


def test_a_file_that_is_none_or_of_a_newer_version_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        AccessStore(tmp_path)
    other = tmp_path / "other"
    with AccessStore(other) as access, access._engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="newer version"):
        AccessStore(other)


def test_several_threads_and_files_opened_twice_do_not_disturb_each_other(tmp_path: Path) -> None:
    with AccessStore(tmp_path) as one, AccessStore(tmp_path) as other:
        one.add_user("ada", PASSWORD, role=Role.ADMIN)
        cookies = [one.begin_session("ada") for _ in range(4)]

        def work(access: AccessStore, cookie: str) -> None:
            for number in range(20):
                access.audit.put("test", actor="ada", objects=[f"identity:{number}"])
                assert access.who_has_cookie(cookie) is not None

        threads = [threading.Thread(target=work, args=((one, other)[n % 2], c)) for n, c in enumerate(cookies)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(one.audit.entries(limit=1000, action="test")) == 80


def test_views_are_put_down_once_and_old_entries_go(tmp_path: Path) -> None:
    with AccessStore(tmp_path) as access:
        for _ in range(5):
            access.audit.put_view("identities.view", "identity:1", actor="ada")
        access.audit.put_view("identities.view", "identity:1", actor="ben")
        access.audit.put("old", actor="ada", now_ns=10**9)
        access.audit.put("10%_x", actor="ada")
        assert [one.action for one in access.audit.entries(action="10%_")] == ["10%_x"]
        assert len(access.audit.entries(action="identities")) == 2
        assert access.audit.oldest_ns() == 10**9
    with AccessStore(tmp_path, audit_days=730) as access:
        access.audit.put("new", actor="ada")
        assert access.audit.entries(action="old") == []
        assert len(access.audit.entries(action="identities")) == 2


def test_words_are_long_and_what_is_kept_of_them_tells_nothing() -> None:
    one, other = new_word(), new_word()
    assert len(one) >= 43
    assert one != other
    assert hash_word(one) != hash_word(other)
    assert csrf_of(one) not in (csrf_of(other), one, hash_word(one))


@given(st.lists(st.floats(0, 1000), max_size=40), st.integers(1, 5), st.floats(1, 300), st.floats(0, 2000))
def test_who_fails_too_often_waits_as_a_plain_count_says(
    times: list[float], most: int, within_s: float, now: float
) -> None:
    attempts, ordered = Attempts(most=most, within_s=within_s), sorted(times)
    for at_s in ordered:
        attempts.fail("a", now=at_s)
    latest = ordered[-most:]
    expected = max(0.0, latest[0] + within_s - now) if len(latest) == most else 0.0
    assert attempts.wait_s("a", "b", now=now) == expected
    attempts.forget("a")
    assert attempts.wait_s("a", now=now) == 0.0


def test_what_succeeds_counts_no_more() -> None:
    attempts = Attempts(most=2, within_s=10)
    for _ in range(5):
        attempts.fail("a", now=0)
        attempts.succeed("a")
    assert attempts.wait_s("a", now=0) == 0
    attempts.succeed("nobody")


def test_who_is_disabled_comes_in_by_nothing_until_they_are_enabled(tmp_path: Path) -> None:
    with AccessStore(tmp_path) as access:
        access.add_user("ada", PASSWORD, role=Role.ADMIN)
        access.add_user("dora", PASSWORD, role=Role.ADMIN)
        cookie, (_, word) = access.begin_session("dora"), access.add_token("dora", "t", role=Role.VIEWER, days=1)
        assert access.change_user("dora", role=Role.VIEWER, cameras=None, disabled=True).disabled
        assert not access.is_password_of("dora", PASSWORD)
        assert access.who_has_cookie(cookie) is None
        assert access.who_has_token(word) is None
        with pytest.raises(DataError, match="only administrator"):
            access.change_user("ada", role=Role.ADMIN, cameras=None, disabled=True)
        access.change_user("dora", role=Role.VIEWER, cameras=None)
        assert access.is_password_of("dora", PASSWORD)
        assert access.who_has_token(word) is not None
        assert access.who_has_cookie(cookie) is None


def test_a_file_from_before_users_could_be_disabled_goes_on(tmp_path: Path) -> None:
    with AccessStore(tmp_path) as access:
        access.add_user("ada", PASSWORD, role=Role.ADMIN)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as former:
        former.execute("ALTER TABLE users DROP COLUMN disabled")
        former.execute("PRAGMA user_version=1")
    with AccessStore(tmp_path) as access:
        assert [(one.name, one.disabled) for one in access.users()] == [("ada", False)]
        assert access.is_password_of("ada", PASSWORD)
