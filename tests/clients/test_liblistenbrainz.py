"""liblistenbrainz, https://pylistenbrainz.readthedocs.io, reads the listens of our export and submits them.

A sample ListenBrainz serves the lines of the export as a user's listens and checks submissions by ListenBrainz's rules.
The client has its address in `api_base_url`.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from liblistenbrainz import ListenBrainz  # type: ignore[import-untyped]
from liblistenbrainz.errors import InvalidAuthTokenException, ListenBrainzAPIException  # type: ignore[import-untyped]

from pipeline.demo.loopback import Answer, LoopbackServer
from pipeline.share.listenbrainz import EARLIEST, LARGEST
from tests.clients.conftest import Json, Written, malformed

TOKEN = "listenbrainz-token"


class SampleListenBrainz(LoopbackServer):
    """`listens`: of the user sample, newest first. `submitted`: bodies of submissions."""

    def __init__(self, listens: list[Json]) -> None:
        super().__init__()
        self.listens = sorted(listens, key=lambda listen: -int(listen["listened_at"]))
        self.submitted: list[Json] = []

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        path = urlsplit(target).path
        query = {name: int(values[0]) for name, values in parse_qs(urlsplit(target).query).items()}
        is_known = headers.get("Authorization") == f"Token {TOKEN}"
        if path == "/1/validate-token":
            return answer(200, {"valid": is_known, "user_name": "sample"})
        if path == "/1/user/sample/listens":
            begin, end = query.get("min_ts", -1), query.get("max_ts", 1 << 40)
            found = [each for each in self.listens if begin < each["listened_at"] < end][: query.get("count", 25)]
            return answer(200, {"payload": {"count": len(found), "listens": found, "user_id": "sample"}})
        if path == "/1/submit-listens" and not is_known:
            return answer(401, {"code": 401, "error": "Invalid authorization token."})
        if path == "/1/submit-listens":
            given = json.loads(body)
            for listen in given["payload"]:
                if fault := fault_of(listen, given["listen_type"]):
                    self.malformed.append(f"{method} {path}: {fault}")
                    return answer(400, {"code": 400, "error": fault})
            self.submitted.append(given)
            return answer(200, {"status": "ok"})
        return answer(404, {"code": 404, "error": "Not found"})


def fault_of(listen: Json, kind: str) -> str | None:
    told = listen["track_metadata"]
    if len(json.dumps(listen)) > LARGEST:
        return "JSON document is larger than MAX_LISTEN_SIZE."
    if ("listened_at" in listen) == (kind == "playing_now"):
        return "JSON document must contain the key listened_at at the top level, unless it is playing_now."
    if kind != "playing_now" and listen["listened_at"] < EARLIEST:
        return "Timestamp is before the founding of Last.fm."
    if not told.get("artist_name") or not told.get("track_name"):
        return "JSON document does not contain required track_metadata.artist_name and track_metadata.track_name."
    if told.keys() - {"artist_name", "track_name", "release_name", "additional_info"}:
        return "JSON document may only contain documented keys in track_metadata."
    return None


def answer(status: int, body: Json) -> Answer:
    return Answer("", status, json.dumps(body).encode())


@pytest.fixture
def listens(written: Written) -> list[Json]:
    with zipfile.ZipFile(written.export("listenbrainz")) as archive:
        lines = [line for name in archive.namelist() for line in archive.read(name).splitlines()]
    return [json.loads(line) for line in lines]


@pytest.fixture
def listenbrainz(listens: list[Json]) -> Iterator[SampleListenBrainz]:
    with SampleListenBrainz(listens) as server:
        yield server


@pytest.fixture
def client(listenbrainz: SampleListenBrainz) -> Any:
    client = ListenBrainz(api_base_url=listenbrainz.origin)
    client.set_auth_token(TOKEN)
    return client


def test_reads_our_listens(client: Any, written: Written, listens: list[Json]) -> None:
    plays = {play["title"]: play for play in written.rows}
    found = client.get_listens("sample", count=100)
    assert len(found) == len(listens) == 6
    assert [listen.listened_at for listen in found] == sorted((each["listened_at"] for each in listens), reverse=True)
    for listen in found:
        play = plays[listen.track_name]
        assert listen.artist_name == ", ".join(play["artists"])
        assert listen.release_name == play["album"]
        assert (listen.isrc, listen.tracknumber) == (play["isrc"], play["track_number"])
        assert listen.spotify_id == (None if play["is_local"] else play["url"])
        assert listen.additional_info["duration_ms"] == play["duration_ms"] if play["duration_ms"] else True
    newest = found[0].listened_at
    assert [each.listened_at for each in client.get_listens("sample", max_ts=newest, count=1)] == [found[1].listened_at]
    assert [each.listened_at for each in client.get_listens("sample", min_ts=found[1].listened_at)] == [newest]


def test_submits_our_listens(client: Any, listenbrainz: SampleListenBrainz, listens: list[Json]) -> None:
    found = client.get_listens("sample", count=100)
    assert client.submit_multiple_listens(found) == {"status": "ok"}
    assert client.submit_single_listen(found[0]) == {"status": "ok"}
    assert [body["listen_type"] for body in listenbrainz.submitted] == ["import", "single"]
    # The client keeps every field: additional_info too.
    assert listenbrainz.submitted[0]["payload"] == listenbrainz.listens
    now = found[0]
    now.listened_at = None
    assert client.submit_playing_now(now) == {"status": "ok"}
    assert "listened_at" not in listenbrainz.submitted[2]["payload"][0]


def test_refusals(client: Any, listenbrainz: SampleListenBrainz) -> None:
    listen = client.get_listens("sample", count=1)[0]
    listen.artist_name = ""
    with pytest.raises(ListenBrainzAPIException) as caught:
        client.submit_single_listen(listen)
    assert (caught.value.status_code, "track_metadata.artist_name" in caught.value.message) == (400, True)
    assert len(malformed(listenbrainz)) == 1
    with pytest.raises(InvalidAuthTokenException):
        client.set_auth_token("another")
