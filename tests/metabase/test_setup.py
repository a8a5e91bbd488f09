"""`python -m pipeline metabase setup`: an empty Metabase, one that somebody has set up, and every way it can fail."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipeline import config
from pipeline.visualize.metabase.access import let_in
from pipeline.visualize.metabase.errors import AlreadySetUp, MetabaseError, NotAllowed, Refused, TooOld
from pipeline.visualize.metabase.setup import say_status, set_up
from tests.conftest import BIN, SETTINGS, Pipeline, succeeded
from tests.metabase import SampleMetabase

EMAIL, PASSWORD = "ann@example.org", "correct horse 1"


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch, data: Path, metabase: SampleMetabase) -> SampleMetabase:
    """A Metabase that nobody has set up, and the settings of who wants to."""
    monkeypatch.setenv("DATA_DIR", str(data))
    monkeypatch.setenv("METABASE_URL", f"{metabase.origin}/")
    monkeypatch.setenv("METABASE_ADMIN_EMAIL", EMAIL)
    monkeypatch.setenv("METABASE_ADMIN_PASSWORD", PASSWORD)
    return metabase


def test_an_empty_metabase_gets_an_administrator_and_a_key(empty: SampleMetabase, data: Path) -> None:
    said = set_up()
    assert said.startswith(f"The administrator is {EMAIL}; the pipeline's key is in ")
    kept = data / "metabase" / "api_key"
    (key,) = empty.keys.values()
    assert kept.read_text().strip() == key["unmasked_key"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert key["group_id"] == 2
    assert PASSWORD not in said and key["unmasked_key"] not in said
    assert {PASSWORD, key["unmasked_key"]} <= set(config.secrets())
    assert empty.dropped == []


def test_the_second_time_there_is_nothing_to_do(empty: SampleMetabase) -> None:
    set_up()
    wrote = len(empty.writes)
    assert set_up().startswith("Nothing to do")
    assert empty.writes[wrote:] == []
    assert say_status() == f"Metabase v0.63.16.5 at {empty.origin} knows the key."


def test_a_key_that_was_lost_is_made_anew_and_the_old_one_ends(empty: SampleMetabase, data: Path) -> None:
    set_up()
    kept = data / "metabase" / "api_key"
    lost = kept.read_text().strip()
    kept.unlink()
    assert set_up().startswith(f"Logged in as {EMAIL}")
    (key,) = empty.keys.values()
    assert kept.read_text().strip() == key["unmasked_key"] != lost
    let_in()


def test_a_kept_key_that_metabase_does_not_know_is_replaced(empty: SampleMetabase, data: Path) -> None:
    set_up()
    empty.keys.clear()
    with pytest.raises(NotAllowed, match="metabase setup to make a new key"):
        let_in()
    set_up()
    let_in()


def test_somebody_elses_metabase_is_not_taken(empty: SampleMetabase, monkeypatch: pytest.MonkeyPatch) -> None:
    empty.add_administrator("ben@example.org", "another horse 2")
    with pytest.raises(AlreadySetUp, match="have its administrator make a key") as caught:
        set_up()
    assert PASSWORD not in str(caught.value)
    monkeypatch.setenv("METABASE_API_KEY", empty.add_key())
    assert set_up().startswith("Nothing to do")


def test_the_key_of_the_settings_wins(empty: SampleMetabase, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up()
    monkeypatch.setenv("METABASE_API_KEY", "mb_wrong")
    with pytest.raises(NotAllowed, match="correct METABASE_API_KEY"):
        set_up()
    with pytest.raises(NotAllowed):
        let_in()


def test_a_password_that_metabase_thinks_too_simple_is_told(
    empty: SampleMetabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METABASE_ADMIN_PASSWORD", "simple-and-common")
    with pytest.raises(Refused, match=r"password: password is too common\..*correct METABASE_ADMIN_EMAIL") as caught:
        set_up()
    assert caught.value.fields == {"password": "password is too common."}


def test_a_mail_address_that_is_none_is_told(empty: SampleMetabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METABASE_ADMIN_EMAIL", "ann")
    with pytest.raises(Refused, match="user: 'ann' does not match") as caught:
        set_up()
    assert PASSWORD not in str(caught.value)


def test_wrong_passwords_close_the_door_for_a_while(empty: SampleMetabase, monkeypatch: pytest.MonkeyPatch) -> None:
    empty.add_administrator(EMAIL, PASSWORD)
    monkeypatch.setenv("METABASE_ADMIN_PASSWORD", "wrong horse 1")
    for _ in range(3):
        with pytest.raises(AlreadySetUp):
            set_up()
    with pytest.raises(MetabaseError, match="Too many attempts! You must wait 15 seconds"):
        set_up()


def test_a_login_that_is_no_administrators_is_told(empty: SampleMetabase) -> None:
    empty.add_administrator(EMAIL, PASSWORD)
    empty.users[EMAIL]["is_superuser"] = False
    with pytest.raises(NotAllowed, match="Administrators"):
        set_up()


def test_what_is_missing_of_the_settings_is_named(empty: SampleMetabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METABASE_ADMIN_PASSWORD", "")
    with pytest.raises(config.SettingError, match="METABASE_ADMIN_EMAIL and METABASE_ADMIN_PASSWORD"):
        set_up()
    with pytest.raises(NotAllowed, match=r"which is still empty.*python -m pipeline metabase setup"):
        let_in()
    monkeypatch.setenv("METABASE_URL", "localhost:3000")
    with pytest.raises(config.SettingError, match="must begin with http"):
        set_up()


def test_a_key_that_others_can_read_is_not_used(empty: SampleMetabase, data: Path) -> None:
    set_up()
    (data / "metabase" / "api_key").chmod(0o644)
    with pytest.raises(config.SettingError, match=r"others can read it\. Run: chmod 600"):
        let_in()


@pytest.mark.parametrize("version", ["v0.56.4", "v0.49.0", "v1.56.10"])
def test_a_version_that_is_too_old_is_told(empty: SampleMetabase, version: str) -> None:
    empty.version = version
    with pytest.raises(TooOld, match=rf"Metabase {version} is too old: the cards need v0\.57 or newer"):
        set_up()


@pytest.mark.parametrize("version", ["v0.57.0", "v1.63.16.5", "v0.64.0-SNAPSHOT", "vLOCAL_DEV", ""])
def test_other_versions_are_let_in(empty: SampleMetabase, version: str) -> None:
    empty.version = version
    set_up()


def test_the_command_says_what_it_did_or_why_not(empty: SampleMetabase, data: Path) -> None:
    given = {"DATA_DIR": str(data), "METABASE_URL": empty.origin, "METABASE_ADMIN_EMAIL": EMAIL}
    pipeline = Pipeline(data, {**dict.fromkeys(SETTINGS, ""), **given, "METABASE_ADMIN_PASSWORD": PASSWORD})
    command = (str(BIN / "python"), "-m", "pipeline", "metabase")
    failed = pipeline.run(*command, "status")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith(f"there is no key for the Metabase at {empty.origin}, which is still empty. Set")
    assert "luigi --module pipeline PublishDashboard" in succeeded(pipeline.run(*command, "setup")).stdout
    assert "knows the key" in succeeded(pipeline.run(*command, "status")).stdout
