"""From the pages of a library to events, against a library that changes between the pages."""

from __future__ import annotations

import datetime
import functools
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline import config
from pipeline.demo.loopback import Answer
from pipeline.demo.spotify import SampleSpotify, error
from pipeline.extract import errors
from pipeline.extract.saved_tracks import COLUMNS, Library, SavedTrack, read_library
from pipeline.extract.spotify import SpotifyClient
from tests.samples import FETCHED, track

Json = dict[str, Any]
TRACKS = "/v1/me/tracks"
NEWEST = datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.UTC)


@dataclass
class Reader:
    """Reads the sample person's library day by day. `known`: what a table of the events says is saved.

    `before_page`: what happens before the n-th page that is fetched of a read, counted from 1.
    """

    spotify: SampleSpotify
    client: SpotifyClient
    known: dict[str, SavedTrack] = field(default_factory=dict)
    before_page: dict[int, Callable[[], object]] = field(default_factory=dict)

    def read(self, accept_empty: bool = False) -> Library:
        pages = 0

        def fetch(offset: int, limit: int) -> bytes:
            nonlocal pages
            pages += 1
            self.before_page.get(pages, lambda: None)()
            return self.client.get("/me/tracks", limit=limit, offset=offset)

        library = read_library(fetch, "me", dict(self.known), FETCHED, accept_empty)
        self.before_page.clear()
        assert library.calls == pages
        for event in library.events:
            assert tuple(event) == COLUMNS
            if event["event"] == "saved":
                self.known[event["track_uri"]] = event
            else:
                del self.known[event["track_uri"]]
        return library

    def save(self, *names: str, minute: int = 1, position: int = 0, **changes: Any) -> None:
        self.spotify.me.saved[position:position] = [entry(name, minute, **changes) for name in names]

    def unsave(self, name: str) -> None:
        self.spotify.me.saved.remove(self.entry(name))

    def entry(self, name: str) -> Json:
        return next(each for each in self.spotify.me.saved if name_of(each) == name)

    def names(self) -> set[str]:
        return {row["song_name"] for row in self.known.values()}


@pytest.fixture
def reader(spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    return Reader(spotify, SpotifyClient(config.spotify(), data, "me"))


@pytest.fixture
def reader_of_500(reader: Reader) -> Reader:
    """One who has read the 500 tracks, Song 0000 to Song 0499, that are saved."""
    reader.spotify.me.saved = songs(500)
    reader.read()
    reader.spotify.calls.clear()
    return reader


def entry(name: str, minute: int = 0, **changes: Any) -> Json:
    """One entry of the saved tracks; `changes` go to the track."""
    added_at = NEWEST + datetime.timedelta(minutes=minute)
    return {"added_at": f"{added_at:%Y-%m-%dT%H:%M:%SZ}", "track": track(name, **changes)}


def songs(count: int) -> list[Json]:
    return [entry(f"Song {n:04}", -n) for n in range(count)]


def name_of(item: Any) -> Any:
    """None of what is no track."""
    named = item.get("track") if isinstance(item, dict) else None
    return named.get("name") if named else None


def told(library: Library) -> list[str]:
    return [f"{event['event']} {event['song_name']}" for event in library.events]


def asked(offset: int) -> str:
    return f"GET {TRACKS}?limit=50&offset={offset}"


def test_the_first_read_is_an_event_for_every_track_with_every_column(reader: Reader) -> None:
    guests = [{"id": "a1", "name": "Velvet Harbour"}, {"id": "a2", "name": "Golden Avenue"}]
    reader.spotify.me.saved = [entry("Second", 1), entry("First", artists=guests)]
    library = reader.read()
    assert (library.outcome, library.total, library.calls) == ("complete", 2, 1)
    assert told(library) == ["saved Second", "saved First"]
    assert library.events[1] == {
        "account": "me",
        "observed_at_utc": "2026-11-22T14:30:01.482913Z",
        "observed_date_utc": "2026-11-22",
        "event": "saved",
        "added_at_utc": "2026-11-20T12:00:00.000Z",
        "track_uri": "spotify:track:First00000000000000000",
        "track_id": "First00000000000000000",
        "isrc": "QZAAA2492755",
        "song_name": "First",
        "artist_name": "Velvet Harbour",
        "artists": '[{"id": "a1", "name": "Velvet Harbour"}, {"id": "a2", "name": "Golden Avenue"}]',
        "album_id": "album00000000000000001",
        "album_name": "Paper Lanterns",
        "album_art_link": "https://i.scdn.co/image/large",
        "song_link": "https://open.spotify.com/track/First00000000000000000",
        "song_duration_ms": "210000",
        "is_local": "false",
    }


def test_a_large_library_is_read_page_by_page_each_beginning_where_the_one_before_ended(reader: Reader) -> None:
    reader.spotify.me.saved = songs(500)
    library = reader.read()
    assert (library.outcome, library.total, library.calls) == ("complete", 500, 11)
    assert told(library) == [f"saved Song {n:04}" for n in range(500)]
    assert reader.spotify.calls[2:] == [asked(offset) for offset in range(0, 500, 49)]


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (1, 1), (50, 1), (51, 2), (99, 2), (100, 3)])
def test_no_more_pages_are_asked_for_than_there_are(reader: Reader, count: int, calls: int) -> None:
    reader.spotify.me.saved = songs(count)
    library = reader.read()
    assert (len(library.events), library.total, library.calls) == (count, count, calls)
    assert (reader.read().outcome, len(reader.known)) == ("unchanged", count)


def test_a_library_as_it_was_takes_one_call(reader_of_500: Reader) -> None:
    assert reader_of_500.read() == Library([], 500, "unchanged", 1)
    assert reader_of_500.spotify.calls == [asked(0)]


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (49, 1), (50, 2), (98, 2), (99, 3), (120, 3)])
def test_additions_are_read_down_to_the_first_track_that_was_known(
    reader_of_500: Reader, count: int, calls: int
) -> None:
    names = [f"New {n:04}" for n in range(count)]
    reader_of_500.save(*names)
    library = reader_of_500.read()
    assert (library.outcome, library.total, library.calls) == ("added", 500 + count, calls)
    assert told(library) == [f"saved {name}" for name in names]
    assert reader_of_500.read().outcome == "unchanged"


def test_a_removed_track_is_told_with_all_that_was_known_of_it(reader_of_500: Reader) -> None:
    uri = reader_of_500.entry("Song 0300")["track"]["uri"]
    before = reader_of_500.known[uri] | {"observed_at_utc": "2026-11-01T00:00:00.000Z"}
    reader_of_500.known[uri] = {**before, "load_id": "7"}
    reader_of_500.unsave("Song 0300")
    library = reader_of_500.read()
    assert (library.outcome, library.total, library.calls) == ("complete", 499, 11)
    assert library.events == [{**before, "event": "removed", "observed_at_utc": "2026-11-22T14:30:01.482913Z"}]
    assert reader_of_500.read() == Library([], 499, "unchanged", 1)


def test_a_removal_is_not_hidden_by_an_addition_that_makes_up_for_it(reader_of_500: Reader) -> None:
    reader_of_500.unsave("Song 0499")
    reader_of_500.save("New")
    library = reader_of_500.read()
    assert (library.outcome, told(library)) == ("complete", ["saved New", "removed Song 0499"])


def test_an_addition_that_was_given_an_older_date_is_found_by_the_total(reader_of_500: Reader) -> None:
    reader_of_500.save("Backdated", minute=-200, position=200)
    library = reader_of_500.read()
    assert (library.outcome, told(library)) == ("complete", ["saved Backdated"])


def test_a_track_removed_and_saved_again_is_saved_once_more(reader_of_500: Reader) -> None:
    reader_of_500.unsave("Song 0400")
    reader_of_500.save("Song 0400", minute=5)
    library = reader_of_500.read()
    assert (told(library), library.calls) == (["saved Song 0400"], 1)
    assert library.events[0]["added_at_utc"] == "2026-11-20T12:05:00.000Z"
    assert reader_of_500.read().outcome == "unchanged"


def test_a_track_saved_again_is_told_beside_removals_too(reader_of_500: Reader) -> None:
    for name in ("Song 0000", "Song 0077", "Song 0400"):
        reader_of_500.unsave(name)
    reader_of_500.save("New", "Song 0400")
    library = reader_of_500.read()
    assert library.outcome == "complete"
    assert told(library) == ["saved New", "saved Song 0400", "removed Song 0000", "removed Song 0077"]


def test_a_track_removed_saved_again_and_removed_is_all_three(reader: Reader) -> None:
    reader.spotify.me.saved = songs(2)
    events = told(reader.read())
    reader.unsave("Song 0001")
    events += told(reader.read())
    reader.save("Song 0001")
    events += told(reader.read())
    reader.unsave("Song 0001")
    events += told(reader.read())
    assert events[1:] == ["saved Song 0001", "removed Song 0001", "saved Song 0001", "removed Song 0001"]


def test_every_track_may_have_been_replaced_by_another(reader: Reader) -> None:
    reader.spotify.me.saved = songs(1)
    reader.read()
    reader.spotify.me.saved = [entry("New")]
    library = reader.read()
    assert (library.outcome, told(library)) == ("complete", ["saved New", "removed Song 0000"])


PREMIUM = b"Active premium subscription required for the owner of the app."
WRONG = [
    pytest.param([error(TRACKS, 403, "Insufficient client scope")], errors.Forbidden, id="403"),
    pytest.param([Answer(TRACKS, 403, PREMIUM, {"Content-Type": "text/plain"})], errors.Forbidden, id="403 in words"),
    pytest.param([error(TRACKS, 429, "Limit", {"Retry-After": "46800"})], errors.RateLimited, id="429"),
    pytest.param([error(TRACKS, 429, "Quota", reason="QUOTA_EXCEEDED")], errors.RateLimited, id="quota"),
    pytest.param([Answer(TRACKS, 502, b"<html>Bad Gateway</html>")] * 4, errors.SpotifyUnreachable, id="502"),
    pytest.param([Answer(TRACKS, 200, b"<html>maintenance</html>")], errors.UnexpectedAnswer, id="html"),
    pytest.param([Answer(TRACKS, 200, b"")], errors.UnexpectedAnswer, id="nothing"),
    pytest.param([Answer(TRACKS, 200, b'{"items": [{"add')], errors.UnexpectedAnswer, id="cut off"),
    pytest.param([Answer(TRACKS, 200, b"[]")], errors.UnexpectedAnswer, id="a list"),
    pytest.param([Answer(TRACKS, 200, b"{}")], errors.UnexpectedAnswer, id="an empty object"),
    pytest.param([Answer(TRACKS, 200, b'{"items": null, "total": 0}')], errors.UnexpectedAnswer, id="items null"),
    pytest.param([Answer(TRACKS, 200, b'{"items": []}')], errors.UnexpectedAnswer, id="no total"),
    pytest.param([Answer(TRACKS, 200, b'{"items": [], "total": null}')], errors.UnexpectedAnswer, id="total null"),
    pytest.param([Answer(TRACKS, 200, b'{"items": [], "total": "0"}')], errors.UnexpectedAnswer, id="total a text"),
    pytest.param([Answer(TRACKS, 200, b'{"items": [], "total": false}')], errors.UnexpectedAnswer, id="total false"),
    pytest.param([Answer(TRACKS, 200, b'{"items": [], "total": -1}')], errors.UnexpectedAnswer, id="total negative"),
]


@pytest.mark.parametrize("page", [1, 3])
@pytest.mark.parametrize(("answers", "kind"), WRONG)
def test_an_error_on_any_page_passes_through_and_nothing_is_recorded(
    reader: Reader, answers: list[Answer], kind: type[Exception], page: int
) -> None:
    reader.spotify.me.saved = songs(120)
    reader.read()
    reader.unsave("Song 0030")
    reader.spotify.calls.clear()
    reader.before_page[page] = lambda: reader.spotify.answers.extend(answers)
    with pytest.raises(kind):
        reader.read()
    assert len(reader.known) == 120
    offsets = [49 * n for n in range(page)]
    assert reader.spotify.calls == [asked(offset) for offset in (*offsets, *offsets[-1:] * (len(answers) - 1))]


def test_a_consent_without_the_library_is_forbidden_and_nothing_is_recorded(reader_of_500: Reader) -> None:
    reader_of_500.spotify.me.scopes = ["user-read-recently-played"]
    with pytest.raises(errors.Forbidden, match="The consent does not include this"):
        reader_of_500.read()


def test_after_an_error_the_next_read_finds_what_happened(reader_of_500: Reader) -> None:
    reader_of_500.unsave("Song 0030")
    reader_of_500.before_page[5] = lambda: reader_of_500.spotify.answers.append(Answer(TRACKS, 200, b"<html>"))
    with pytest.raises(errors.UnexpectedAnswer, match="not JSON"):
        reader_of_500.read()
    reader_of_500.before_page.clear()
    assert told(reader_of_500.read()) == ["removed Song 0030"]


NO_TRACKS: list[Any] = [
    None,
    [],
    {"added_at": "2026-11-20T12:00:00Z"},
    {"added_at": "2026-11-20T12:00:00Z", "track": None},
    {"added_at": "2026-11-20T12:00:00Z", "track": {}},
    {"added_at": "2026-11-20T12:00:00Z", "track": {"uri": None, "id": 7, "name": "", "duration_ms": 1}},
    entry("An hour of talk", type="episode"),
]


@pytest.mark.parametrize("place", [0, 49, 60])
@pytest.mark.parametrize("odd", NO_TRACKS)
def test_what_is_no_track_gives_no_row_and_makes_nothing_look_removed(reader: Reader, odd: Any, place: int) -> None:
    reader.spotify.me.saved = songs(100)
    reader.spotify.me.saved.insert(place, odd)
    library = reader.read()
    assert (library.outcome, library.total, len(library.events)) == ("complete", 101, 100)
    assert reader.read().events == []
    reader.spotify.me.saved[70] = odd
    reader.unsave("Song 0010")
    reader.unsave("Song 0020")
    reader.save("New")
    library = reader.read()
    assert (library.outcome, told(library)) == ("shifting", ["saved New"])


def test_a_track_that_comes_back_from_being_null_was_never_gone(reader_of_500: Reader) -> None:
    whole = list(reader_of_500.spotify.me.saved)
    reader_of_500.spotify.me.saved[3] = {**whole[3], "track": None}
    assert reader_of_500.read().events == []
    reader_of_500.spotify.me.saved = whole
    assert reader_of_500.read() == Library([], 500, "unchanged", 1)


def test_a_library_of_nothing_but_null_removes_nothing(reader_of_500: Reader) -> None:
    for each in reader_of_500.spotify.me.saved:
        each["track"] = None
    assert reader_of_500.read(accept_empty=True) == Library([], 500, "shifting", 11)


def test_a_local_file_is_known_by_its_uri_and_else_by_its_names(reader: Reader) -> None:
    local: Json = {"id": None, "is_local": True, "artists": [{"id": None, "name": "Salt Kites"}], "external_ids": {}}
    reader.save("Demo 3", uri="spotify:local:Salt+Kites:Tapes:Demo+3:210", **local)
    reader.save("Demo 4", uri=None, **local)
    reader.save("Demo 5", uri=None, duration_ms=None, **local)
    rows = [(row["track_uri"], row["track_id"], row["isrc"], row["is_local"]) for row in reader.read().events]
    assert rows == [
        ("spotify:local:Salt+Kites:Paper+Lanterns:Demo+5:0", "", "", "true"),
        ("spotify:local:Salt+Kites:Paper+Lanterns:Demo+4:210", "", "", "true"),
        ("spotify:local:Salt+Kites:Tapes:Demo+3:210", "", "", "true"),
    ]
    assert reader.read().outcome == "unchanged"


def test_a_track_without_uri_has_the_key_it_has_among_the_plays(reader: Reader) -> None:
    reader.save("First", uri=None)
    assert reader.read().events[0]["track_uri"] == "spotify:track:First00000000000000000"


def test_names_of_all_scripts_stay_as_they_are(reader: Reader) -> None:
    name = '\'); drop table x;-- "q" $$ \\ \t \r\n \0 🎧 夜のあと شارع'
    reader.save(name)
    assert reader.read().events[0]["song_name"] == name.replace("\0", "\ufffd")
    reader.spotify.me.saved.clear()
    assert reader.read(accept_empty=True).events[0]["song_name"] == name.replace("\0", "\ufffd")


@pytest.mark.parametrize("name", sorted(set(track()) - {"uri", "type"}))
def test_any_other_field_may_be_odd(reader: Reader, name: str) -> None:
    reader.spotify.me.saved = songs(7)
    oddities: list[Any] = [None, [], {}, 7, "x", [None], [[]]]
    for each, oddity in zip(reader.spotify.me.saved, oddities, strict=True):
        each["track"][name] = oddity
    assert len(reader.read().events) == 7
    assert reader.read().outcome == "unchanged"


@pytest.mark.parametrize("oddity", [None, "", "yesterday", 7, [], "0001-01-01T00:00:00+05:00"])
def test_a_track_without_a_moment_is_kept_and_not_taken_for_saved_anew(reader: Reader, oddity: object) -> None:
    reader.spotify.me.saved = songs(60)
    reader.read()
    reader.spotify.me.saved[0]["added_at"] = reader.spotify.me.saved[55]["added_at"] = oddity
    assert reader.read() == Library([], 60, "unchanged", 1)
    reader.save("New")
    reader.spotify.me.saved[0]["added_at"] = oddity
    assert [event["added_at_utc"] for event in reader.read().events] == [""]
    reader.spotify.me.saved[0]["added_at"] = "2026-11-21T14:00:00+02:00"
    assert [event["added_at_utc"] for event in reader.read().events] == ["2026-11-21T12:00:00.000Z"]


@pytest.mark.parametrize("count", [1, 50, 60])
def test_an_addition_while_reading_makes_it_read_once_more(reader_of_500: Reader, count: int) -> None:
    reader_of_500.unsave("Song 0300")
    late = [f"Late {n:02}" for n in range(count)]
    reader_of_500.before_page[3] = lambda: reader_of_500.save(*late)
    library = reader_of_500.read()
    assert library.outcome == "complete"
    assert told(library) == [*(f"saved {name}" for name in late), "removed Song 0300"]
    assert library.calls == 3 + 1 + (499 + count - 2) // 49


def test_a_removal_while_reading_makes_it_read_once_more(reader_of_500: Reader) -> None:
    reader_of_500.unsave("Song 0300")
    reader_of_500.before_page[3] = lambda: reader_of_500.unsave("Song 0010")
    library = reader_of_500.read()
    assert (library.outcome, library.calls) == ("complete", 3 + 11)
    assert told(library) == ["removed Song 0010", "removed Song 0300"]


def test_edits_during_both_passes_leave_the_removals_for_another_day(reader_of_500: Reader) -> None:
    reader_of_500.unsave("Song 0300")
    reader_of_500.save("New")
    reader_of_500.before_page = {3: lambda: reader_of_500.save("Late"), 6: lambda: reader_of_500.unsave("Song 0010")}
    library = reader_of_500.read()
    assert (library.outcome, library.calls, library.total) == ("shifting", 3 + 11, 500)
    assert told(library) == ["saved Late", "saved New"]
    assert told(reader_of_500.read()) == ["removed Song 0010", "removed Song 0300"]


def test_a_track_that_a_late_page_shows_first_is_recorded_though_the_pages_shift(reader: Reader) -> None:
    reader.spotify.me.saved = songs(120)
    # In each pass, what ended the first page is gone before the second is fetched.
    reader.before_page = {2: lambda: reader.unsave("Song 0049"), 4: lambda: reader.unsave("Song 0050")}
    library = reader.read()
    assert (library.outcome, library.calls) == ("shifting", 5)
    assert reader.names() == {f"Song {n:04}" for n in range(120) if n != 49}
    assert told(reader.read()) == ["removed Song 0050"]


def test_a_track_that_slips_between_two_pages_does_not_look_removed(reader_of_500: Reader) -> None:
    """Another is saved with an older date in the same moment: the totals agree, and no track comes twice."""

    def edit() -> None:
        reader_of_500.unsave("Song 0010")
        reader_of_500.save("Backdated", minute=-300, position=300)

    reader_of_500.unsave("Song 0400")
    reader_of_500.before_page = {2: edit}
    library = reader_of_500.read()
    assert library.outcome == "complete"
    assert told(library) == ["saved Backdated", "removed Song 0010", "removed Song 0400"]


@pytest.mark.parametrize("newer_pages", [{1}, {2}, {1, 2}, {4}, {1, 3, 5}])
def test_pages_of_different_ages_remove_nothing_that_is_saved(reader: Reader, newer_pages: set[int]) -> None:
    """As two servers answer of which one lags behind: the total is the same before and after."""
    reader.spotify.me.saved = old = songs(240)
    reader.read()
    new = [entry("New", 1), *(each for each in old if name_of(each) != "Song 0130")]

    def serve(library: list[Json]) -> Callable[[], None]:
        return lambda: setattr(reader.spotify.me, "saved", library)

    reader.before_page = {n: serve(new if n in newer_pages else old) for n in range(1, 11)}
    reader.before_page[1] = serve(new)
    assert set(told(reader.read())) <= {"saved New", "removed Song 0130"}
    reader.spotify.me.saved = new
    reader.read()
    assert reader.names() == {name_of(each) for each in new}


def test_whatever_is_edited_while_reading_no_other_track_looks_removed(reader: Reader) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(25):
        chance = random.Random(seed)
        reader.known = {}
        reader.spotify.me.saved = songs(160)
        reader.read()
        edited: set[str] = set()
        for _ in range(4):
            pages = chance.sample(range(1, 9), chance.choice([0, 0, 1, 2, 4]))
            reader.before_page = dict.fromkeys(pages, functools.partial(edit_somehow, reader, chance, edited))
            library = reader.read()
            outcomes[library.outcome] += 1
            assert {e["song_name"] for e in library.events} <= edited, f"seed {seed}"
        # One removal alone makes the numbers disagree, whatever cancelled out before.
        reader.unsave(name_of(reader.spotify.me.saved[-1]))
        reader.read()
        assert reader.names() == {name_of(each) for each in reader.spotify.me.saved}, f"seed {seed}"
    assert set(outcomes) == {"unchanged", "added", "complete", "shifting"}


def edit_somehow(reader: Reader, chance: random.Random, edited: set[str]) -> None:
    for _ in range(chance.randint(1, 3)):
        saved = reader.spotify.me.saved
        name, gone = f"New {len(edited):04}", name_of(chance.choice(saved))
        kind = chance.choice(["save", "save", "unsave", "save again", "save with an older date"])
        if kind in ("unsave", "save again"):
            reader.unsave(gone)
            edited.add(gone)
        if kind in ("save", "save again"):
            reader.save(gone if kind == "save again" else name, minute=len(edited) + 1)
        if kind == "save with an older date":
            reader.save(name, position=chance.randrange(len(saved)))
        edited.add(name)


def test_a_track_saved_twice_under_one_key_is_one_and_nothing_looks_removed(reader: Reader) -> None:
    reader.spotify.me.saved = songs(120)
    reader.spotify.me.saved[110] = entry("Song 0002", -110)
    library = reader.read()
    assert (library.outcome, len(library.events), len(reader.known)) == ("shifting", 119, 119)
    assert reader.known["spotify:track:Song000200000000000000"]["added_at_utc"] == "2026-11-20T11:58:00.000Z"
    reader.unsave("Song 0050")
    assert reader.read().events == []


@pytest.mark.parametrize("total", [1, 58, 61, 600, 10**9])
def test_a_total_that_is_not_true_removes_nothing_and_costs_no_more_than_two_reads(reader: Reader, total: int) -> None:
    reader.spotify.me.saved = songs(60)
    reader.read()
    reader.unsave("Song 0030")
    pages = [json.dumps({"items": reader.spotify.me.saved[n : n + 50], "total": total}).encode() for n in (0, 49, 98)]
    reader.spotify.answers = [Answer(TRACKS, 200, page) for page in pages * 2]
    library = reader.read()
    assert (library.outcome, library.events) == ("shifting", [])
    assert library.calls <= 6


def test_a_total_that_shrinks_from_page_to_page_removes_nothing(reader: Reader) -> None:
    reader.spotify.me.saved = saved = songs(150)
    reader.read()
    reader.unsave("Song 0149")
    pages = [
        Answer(TRACKS, 200, json.dumps({"items": saved[offset : offset + 50], "total": total}).encode())
        for offset, total in ((0, 149), (49, 99))
    ]
    reader.spotify.answers = pages * 2
    assert reader.read() == Library([], 99, "shifting", 4)


def test_a_server_that_has_only_a_first_page_is_not_asked_for_ever(reader: Reader) -> None:
    page = json.dumps({"items": songs(50), "total": 5000}).encode()
    reader.spotify.answers = [Answer(TRACKS, 200, page)] * 50
    library = reader.read()
    assert (library.outcome, library.calls, len(library.events)) == ("shifting", 4, 50)


@pytest.mark.parametrize("total", [1, 500])
def test_a_page_without_the_items_that_its_total_promises_is_no_empty_library(
    reader_of_500: Reader, total: int
) -> None:
    empty = Answer(TRACKS, 200, json.dumps({"items": [], "total": total}).encode())
    reader_of_500.spotify.answers = [empty] * 2
    assert reader_of_500.read(accept_empty=True) == Library([], total, "shifting", 2)


def test_an_emptied_library_is_believed_when_it_is_said_twice(reader_of_500: Reader) -> None:
    reader_of_500.spotify.me.saved = []
    assert reader_of_500.read() == Library([], 0, "empty", 1)
    assert len(reader_of_500.known) == 500
    library = reader_of_500.read(accept_empty=True)
    assert (library.outcome, library.total, library.calls) == ("complete", 0, 1)
    assert told(library) == [f"removed Song {n:04}" for n in range(500)]
    assert reader_of_500.read() == Library([], 0, "unchanged", 1)


def test_a_library_that_is_back_after_it_looked_empty_is_as_it_was(reader_of_500: Reader) -> None:
    whole, reader_of_500.spotify.me.saved = reader_of_500.spotify.me.saved, []
    assert reader_of_500.read().outcome == "empty"
    reader_of_500.spotify.me.saved = whole
    assert reader_of_500.read(accept_empty=True) == Library([], 500, "unchanged", 1)


def test_a_library_emptied_while_reading_is_no_more_believed(reader_of_500: Reader) -> None:
    reader_of_500.unsave("Song 0300")
    reader_of_500.before_page[3] = reader_of_500.spotify.me.saved.clear
    assert reader_of_500.read() == Library([], 0, "empty", 4)
