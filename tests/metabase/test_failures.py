"""Everything that can go wrong says what it is and what to do, and nothing of others' is lost by it."""

from __future__ import annotations

import json
import logging

import pytest

from pipeline import config
from pipeline.demo.loopback import Answer
from pipeline.visualize.cards import CardError, read_tabs
from pipeline.visualize.metabase.access import let_in
from pipeline.visualize.metabase.client import Metabase
from pipeline.visualize.metabase.errors import (
    DatabaseRefused,
    MetabaseUnreachable,
    NameTaken,
    NotAllowed,
    NotFound,
    NotKept,
    Refused,
    UnexpectedAnswer,
)
from pipeline.visualize.publish import publish
from tests.metabase import SampleMetabase
from tests.metabase.conftest import impatient
from tests.metabase.test_publish import changed

TABS = read_tabs()


def answer(path: str, status: int, body: object) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(path, status, text.encode())


def test_nobody_there(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METABASE_URL", "http://127.0.0.1:9")
    with pytest.raises(
        MetabaseUnreachable, match=r"nobody answers at http://127\.0\.0\.1:9 .* Start Metabase, or correct"
    ):
        publish(TABS)


def test_one_that_is_starting_is_waited_for(
    settings: dict[str, str], metabase: SampleMetabase, caplog: pytest.LogCaptureFixture
) -> None:
    metabase.answers = [
        *(answer("/api/health", 503, {"status": "initializing", "progress": n / 10}) for n in (3, 3, 9)),
        answer("/api/health", 200, {"status": "ok"}),
        answer("/api/session/properties", 503, "not yet"),
    ]
    with caplog.at_level(logging.INFO, logger="luigi-interface"):
        let_in()
    said = [message for message in caplog.messages if "not ready yet" in message]
    assert [message.rpartition(": ")[2] for message in said] == ["initializing, 30%", "initializing, 90%", "status 503"]


def test_one_that_never_starts_is_given_up(
    settings: dict[str, str], metabase: SampleMetabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    metabase.answers = [answer("/api/health", 503, {"status": "initializing", "progress": 0.3})] * 100
    with pytest.raises(MetabaseUnreachable, match=r"not started in 0 seconds \(initializing, 30%\)\. Its first start"):
        publish(TABS)


def test_one_that_hangs_is_given_up(settings: dict[str, str], metabase: SampleMetabase) -> None:
    metabase._lock.acquire()  # it answers nobody
    try:
        with pytest.raises(MetabaseUnreachable, match=r"has not answered GET /api/user/current in 0\.2 seconds"):
            Metabase(metabase.origin, 0.2).get("/api/user/current")
    finally:
        metabase._lock.release()


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, "Unauthenticated", NotAllowed, "does not know the key or password.*metabase setup"),
        (403, "You don't have permissions to do that.", NotAllowed, "does not allow.*group Administrators"),
        (404, "Not found.", NotFound, "has nothing there"),
        (400, {"errors": {"name": "must not be blank"}}, Refused, "name: must not be blank"),
        (400, {"errors": {"cards": {"0": {"id": "must be an integer"}}}}, Refused, r"cards\.0\.id: must be an integer"),
        (
            500,
            {"message": "NullPointerException"},
            UnexpectedAnswer,
            "status 500: NullPointerException.*Its log says why",
        ),
        (502, "<html>Bad gateway</html>", UnexpectedAnswer, "status 502"),
        (200, "<html>Another program</html>", UnexpectedAnswer, "is no Metabase.*Correct METABASE_URL"),
    ],
)
def test_every_status_is_told(
    settings: dict[str, str], metabase: SampleMetabase, status: int, body: object, error: type[Exception], words: str
) -> None:
    metabase.answers = [answer("/api/user/current", status, body)]
    with pytest.raises(error, match=f"(?s){words}"):
        let_in()
    assert [call for call in metabase.calls if "user" in call] == ["GET /api/user/current"], "asked once, not again"


def test_a_redirect_is_told(settings: dict[str, str], metabase: SampleMetabase) -> None:
    metabase.answers = [Answer("/api/health", 301, b"", {"Location": "https://metabase.example.org/api/health"})]
    with pytest.raises(UnexpectedAnswer, match=r"sends on to https://metabase\.example\.org"):
        let_in()


def test_a_key_of_another_group_is_told(
    settings: dict[str, str], metabase: SampleMetabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METABASE_API_KEY", metabase.add_key(group=1, name="small"))
    with pytest.raises(NotAllowed, match="its group is not Administrators"):
        publish(TABS)


def test_a_card_that_metabase_refuses_is_told_by_field(settings: dict[str, str], metabase: SampleMetabase) -> None:
    with pytest.raises(Refused, match=r"refuses POST /api/card \(display: 'bubble' is not one of") as caught:
        publish(changed("minutes-by-hour", display="bubble"))
    assert set(caught.value.fields) == {"display"}


def test_a_collection_of_our_name_that_is_not_ours(settings: dict[str, str], metabase: SampleMetabase) -> None:
    metabase.content.add_collection({"name": "Listening history"})
    with pytest.raises(NameTaken, match="a collection named 'Listening history' already"):
        publish(TABS)
    assert metabase.content.cards == {}


def test_a_metabase_that_drops_entity_ids_is_told(settings: dict[str, str], metabase: SampleMetabase) -> None:
    metabase.content.keeps_entity_ids = False
    with pytest.raises(NotKept, match="not kept its entity id"):
        publish(TABS)
    assert len(metabase.content.cards) == 1


def test_what_metabase_keeps_otherwise_is_told(
    settings: dict[str, str],
    metabase: SampleMetabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = metabase.content.card

    def forgetful(ref: str) -> dict[str, object]:
        return {**kept(ref), "visualization_settings": {}}

    monkeypatch.setattr(metabase.content, "card", forgetful)
    publish(TABS)
    assert "Metabase keeps drawing of card 'Minutes' in a form of its own" in caplog.text
    monkeypatch.setattr(metabase.content, "card", lambda ref: {**kept(ref), "display": "table"})
    with pytest.raises(NotKept, match=r"does not show it as it was written \(display\)"):
        publish(TABS)


def test_a_card_whose_query_does_not_run_is_named(settings: dict[str, str], metabase: SampleMetabase) -> None:
    with pytest.raises(CardError, match=r"card 'minutes': its SQL does not run: .*rpt_nothing.*Correct it in"):
        publish(changed("minutes", sql="select minutes from reporting.rpt_nothing where account = {{account}}"))
    with pytest.raises(CardError, match="returns no column 'minutes'"):
        publish(
            changed("minutes", sql="select first_played_date from reporting.rpt_totals where account = {{account}}")
        )
    assert metabase.writes == []


def test_no_failure_tells_a_secret(
    settings: dict[str, str], metabase: SampleMetabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METABASE_DATABASE_PASSWORD", "hunter2-of-the-role")
    echo = {
        "message": "cannot connect with hunter2-of-the-role",
        "errors": {"password": "hunter2-of-the-role is wrong"},
    }
    metabase.answers = [answer("/api/database", 200, {"data": []}), answer("/api/database", 400, echo)]
    with pytest.raises(DatabaseRefused) as caught:
        publish(TABS)
    assert "hunter2" not in str(caught.value) + str(caught.value.fields)
    assert {"hunter2-of-the-role", settings["METABASE_API_KEY"]} <= set(config.secrets())
