"""Rate limits, quotas and the end of a consent: Spotify is not asked, nothing fails, and it is told once."""

from __future__ import annotations

import datetime
import email.utils
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline import config
from pipeline.demo.loopback import Answer
from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify, error
from pipeline.extract import errors
from pipeline.extract.answers import utc_now
from pipeline.extract.pause import LONGEST_PAUSE, Pause, current_pause, pause_path, write_pause
from pipeline.extract.spotify import SpotifyClient
from pipeline.extract.tokens import load_tokens, token_lock, token_path, write_tokens
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import evening, page
from tests.slack import SampleSlack

FIRST, SECOND, THIRD, FOURTH = "2026-11-22T1400", "2026-11-22T1430", "2026-11-22T1500", "2026-11-22T1530"
RECENT = "/v1/me/player"
NOT_ASKED = 25
HOUR = datetime.timedelta(hours=1)


def used_up(wait: int = 46_800) -> Answer:
    return error(RECENT, 429, "API quota exceeded", {"Retry-After": str(wait)}, reason="QUOTA_EXCEEDED")


def outcomes(pipeline: Pipeline) -> dict[str, str]:
    """What the slots' records say, attempts that failed apart."""
    records = pipeline.files("polls/account=me/**/*.json")
    return {Path(name).stem: json.loads(record)["outcome"] for name, record in records.items() if "failed" not in name}


def change_tokens(data: Path, **changes: Any) -> None:
    path = token_path(data, "me")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_used_up_quota_pauses_the_account_without_failing_and_is_told_once(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, slack: SampleSlack
) -> None:
    pipeline.environment["SLACK_WEBHOOK_URL"] = slack.url
    spotify.page = page(*evening(3))
    spotify.answers = [used_up()]
    paused = pipeline.slot(FIRST)
    assert paused.returncode == NOT_ASKED
    assert "Spotify's quota is used up until" in paused.stderr
    assert database.rows("select outcome, paused_until > now() + interval '12 hours' from staging.polls") == [
        ("paused", True)
    ], "the rest of the slot has run"
    calls = list(spotify.calls)
    for slot in (FIRST, SECOND):
        again = pipeline.slot(slot)
        assert again.returncode == NOT_ASKED
    assert spotify.calls == calls, "nothing is asked while it lasts, by no task"
    assert [message["text"].partition(" on ")[0] for _, message in slack.messages] == ["*ExtractRecent* says"]
    assert "Traceback" not in paused.stderr + again.stderr
    # When it is over, polling resumes by itself; a slot that was paused can be run again as well.
    since = utc_now() - 14 * HOUR
    write_pause(pipeline.data, "me", Pause(since.isoformat(), (since + 13 * HOUR).isoformat(), "quota"))
    succeeded(pipeline.slot(THIRD))
    succeeded(pipeline.slot(FIRST))
    assert outcomes(pipeline) == {FIRST: "polled", SECOND: "paused", THIRD: "polled"}
    succeeded(pipeline.slot(FOURTH, task="CopyToStaging"))
    ledger = "select slot::text, outcome from staging.polls order by fetched_at"
    expected = [(f"2026-11-22 {slot}:00+00", "paused") for slot in ("14:00", "14:30")]
    expected += [(f"2026-11-22 {slot}:00+00", "polled") for slot in ("15:00", "14:00", "15:30")]
    assert database.rows(ledger) == expected
    succeeded(pipeline.luigi("RebuildStaging"))
    assert database.rows(ledger) == expected
    begins_and_ends = [message["text"].partition(" on ")[0] for _, message in slack.messages]
    assert begins_and_ends == ["*ExtractRecent* says", "Recovered: pause of me"]


@pytest.mark.parametrize(
    ("answer", "hours"),
    [
        (error(RECENT, 429, "API rate limit exceeded", {"Retry-After": "46800"}), 13),
        (error(RECENT, 429, "API quota exceeded", {"Retry-After": "2"}, reason="QUOTA_EXCEEDED"), 0),
        (error(RECENT, 429, "API quota exceeded", reason="QUOTA_EXCEEDED"), 1),
        (Answer(RECENT, 429, b"Too many requests", {"Retry-After": "999999999"}), 25),
        (
            Answer(
                RECENT,
                429,
                b"",
                {
                    # A clock that is an hour off does not matter: the date is compared with the answer's own.
                    "Date": email.utils.format_datetime(utc_now() + HOUR, usegmt=True),
                    "Retry-After": email.utils.format_datetime(utc_now() + 3 * HOUR, usegmt=True),
                },
            ),
            2,
        ),
    ],
)
def test_the_pause_is_as_long_as_spotify_says_and_no_longer_than_a_day(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, hours: int
) -> None:
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    client = SpotifyClient(config.spotify(), data, "me")
    spotify.answers = [answer]
    with pytest.raises(errors.RateLimited):
        client.fetch_recently_played()
    calls = len(spotify.calls)
    pause = current_pause(data, "me", utc_now())
    assert pause is not None
    assert round((pause.ends_at - utc_now()) / HOUR) == hours
    with pytest.raises(errors.Paused, match="paused until"):
        SpotifyClient(config.spotify(), data, "me").get("/me")
    assert len(spotify.calls) == calls


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [(-1, 1, True), (-2, -1, False), (1, 3, True), (30 * 24, 31 * 24, False), (-30 * 24, 400 * 24, False)],
)
def test_a_pause_by_a_clock_that_was_wrong_does_not_last(data: Path, since: int, until: int, holds: bool) -> None:
    """Hours from now; an hour either way is a clock that was corrected, a month is one that was broken."""
    now = utc_now()
    write_pause(data, "me", Pause((now + since * HOUR).isoformat(), (now + until * HOUR).isoformat(), "quota"))
    assert (current_pause(data, "me", now) is not None) is holds
    assert LONGEST_PAUSE < 26 * HOUR


@pytest.mark.parametrize("body", ["", "{", "[]", '{"since": 1}', '{"since": "x", "until": "y", "reason": ""}'])
def test_a_pause_that_cannot_be_read_is_none(data: Path, body: str) -> None:
    pause_path(data, "me").parent.mkdir()
    pause_path(data, "me").write_text(body)
    assert current_pause(data, "me", utc_now()) is None


def test_a_consent_that_ended_stops_polling_until_a_new_one_and_is_told_once(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack, database: Database
) -> None:
    pipeline.environment["SLACK_WEBHOOK_URL"] = slack.url
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST))
    spotify.accounts.revoke(spotify.me)
    spotify.accounts.access_tokens.clear()
    ended = pipeline.slot(SECOND)
    assert ended.returncode == NOT_ASKED
    assert "Refresh token revoked" in ended.stderr
    assert "python -m pipeline authorize --account me" in ended.stderr
    calls = len(spotify.calls)
    assert pipeline.slot(THIRD).returncode == NOT_ASKED
    assert len(spotify.calls) == calls, "a dead token is never sent again"
    assert len(slack.messages) == 1
    assert outcomes(pipeline)["2026-11-22T1500"] == "consent_ended"
    # A new consent by the settings, as in a container; the old token there is not taken for one.
    pipeline.environment["SPOTIFY_REFRESH_TOKEN"] = spotify.add_person(spotify.me)
    succeeded(pipeline.slot(THIRD))
    assert outcomes(pipeline)["2026-11-22T1500"] == "polled"
    assert database.value("select count(*) from marts.fct_gaps") == 0


def test_the_consent_of_somebody_else_is_not_taken_into_the_history(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    token_path(pipeline.data, "me").unlink()
    stranger = spotify.add_person(Person("stranger"))
    process = pipeline.slot(SECOND, task="ExtractRecent", SPOTIFY_REFRESH_TOKEN=stranger)
    assert process.returncode == 30
    assert "account 'me' is the history of another Spotify user" in process.stderr
    # It is not sent again, and told once; a token that is the right one takes its place.
    calls = len(spotify.calls)
    assert pipeline.slot(SECOND, task="ExtractRecent", SPOTIFY_REFRESH_TOKEN=stranger).returncode == 0
    assert (len(spotify.calls), outcomes(pipeline)[SECOND]) == (calls, "consent_ended")
    succeeded(pipeline.slot(SECOND, task="ExtractRecent"))
    assert outcomes(pipeline)[SECOND] == "polled"
    mine = pipeline.environment["SPOTIFY_REFRESH_TOKEN"]
    twice = pipeline.slot(SECOND, "--account", "ann", task="ExtractRecent", SPOTIFY_REFRESH_TOKEN_ANN=mine)
    assert "this Spotify user already has the account 'me'" in twice.stderr
    assert list(pipeline.files("spotify_songs/*/**/*.csv")) == ["spotify_songs/account=me/2026/11/2026-11-21.csv"]


def test_the_token_file_of_another_account_is_refused(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    token_path(pipeline.data, "me").rename(token_path(pipeline.data, "ann"))
    process = pipeline.slot(FIRST, "--account", "ann", task="ExtractRecent")
    assert process.returncode == 30
    assert "holds the tokens of account 'me'" in process.stderr
    assert pipeline.files("spotify_songs/account=ann/**/*") == {}


@pytest.mark.parametrize(
    ("days_left", "warned", "told"),
    [(31, 0, False), (30, 0, True), (29, 30, False), (7, 30, True), (6, 7, False), (1, 7, True), (0, 1, False)],
)
def test_the_end_of_the_consent_is_told_30_7_and_1_days_ahead_each_once(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack, days_left: int, warned: int, told: bool
) -> None:
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    authorized = utc_now() - datetime.timedelta(days=180 - days_left) + HOUR
    change_tokens(pipeline.data, authorized_at=authorized.isoformat(), warned=warned)
    for slot in (SECOND, THIRD):
        process = succeeded(pipeline.slot(slot, task="ExtractRecent", SLACK_WEBHOOK_URL=slack.url))
    assert ("The consent of account 'me' ends in" in slack.messages[0][1]["text"]) if told else not slack.messages
    assert len(slack.messages) == told
    assert "The consent" not in process.stderr, "it was told by the slot before"
    records = pipeline.files("polls/**/*.json")
    assert json.loads(records[f"polls/account=me/2026/11/{SECOND}.json"])["token_days_left"] == days_left


def test_a_rotated_token_does_not_move_the_end_of_the_consent(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spotify.accounts.rotate = True
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    SpotifyClient(config.spotify(), data, "me").fetch_recently_played()
    before = load_tokens(data, "me")
    spotify.accounts.access_tokens.clear()
    SpotifyClient(config.spotify(), data, "me").fetch_recently_played()
    after = load_tokens(data, "me")
    assert before and after
    assert before.refresh_token != after.refresh_token
    assert before.authorized_at == after.authorized_at


def test_an_account_that_is_not_identified_yet_is_asked_again_and_polls_meanwhile(
    pipeline: Pipeline, spotify: SampleSpotify
) -> None:
    spotify.page = page(*evening(3))
    spotify.answers = [Answer("/v1/me", 200, b"<html>maintenance</html>")]
    process = succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    assert "whose account it is could not be asked" in process.stderr
    assert pipeline.files("accounts/*") == {}
    succeeded(pipeline.slot(SECOND, task="ExtractRecent"))
    assert json.loads(pipeline.files("accounts/*")["accounts/account=me.json"])["account_id"] == "sample"


def test_two_runs_at_the_moment_of_a_rotation_refresh_once(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    """At Spotify a rotated token is dead at once; whoever comes second must use what the first was given."""
    spotify.accounts.rotate = True
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    spotify.accounts.access_tokens.clear()
    refreshes = spotify.calls.count("POST /api/token")
    probe = (
        "from pipeline import config; from pipeline.extract.spotify import SpotifyClient;"
        "SpotifyClient(config.spotify(), config.storage().root, 'me').get('/me/tracks')"
    )
    environment = {**pipeline.environment, "PYTHONPATH": str(config.PROJECT)}
    with token_lock(pipeline.data, "me"):
        # All of them have been refused and wait for the lock when it is let go.
        runs = [
            subprocess.Popen([str(BIN / "python"), "-c", probe], env=environment, stderr=subprocess.DEVNULL)
            for _ in range(3)
        ]
        asked = len(spotify.calls)
        while len(spotify.calls) < asked + 3:
            assert all(run.poll() is None for run in runs)
    assert [run.wait(timeout=60) for run in runs] == [0, 0, 0]
    assert spotify.calls.count("POST /api/token") == refreshes + 1
    assert load_tokens(pipeline.data, "me").refresh_token == spotify.refresh_token  # type: ignore[union-attr]


def test_a_clock_that_is_an_hour_off_costs_one_refresh(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    SpotifyClient(config.spotify(), data, "me").fetch_recently_played()
    tokens = load_tokens(data, "me")
    assert tokens
    for hours, refreshed in ((-1, 1), (+1, 1)):
        # As if the store had been written by a clock an hour off; for the later one Spotify has let the token die.
        expires = datetime.datetime.fromisoformat(tokens.expires_at) + hours * HOUR
        change_tokens(data, expires_at=expires.isoformat())
        if hours > 0:
            spotify.accounts.access_tokens.clear()
        before = spotify.calls.count("POST /api/token")
        SpotifyClient(config.spotify(), data, "me").fetch_recently_played()
        assert spotify.calls.count("POST /api/token") == before + refreshed


def test_a_secret_that_spotify_sends_back_is_in_no_message(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    client = SpotifyClient(config.spotify(), data, "me")
    client.fetch_recently_played()
    (access,) = spotify.accounts.access_tokens
    spotify.answers = [error(RECENT, 403, f"no: {access} {spotify.refresh_token}")]
    with pytest.raises(errors.Forbidden, match=r"no: \*\*\* \*\*\*"):
        client.fetch_recently_played()


def test_the_store_is_replaced_whole(data: Path, spotify: SampleSpotify, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    SpotifyClient(config.spotify(), data, "me").fetch_recently_played()
    tokens = load_tokens(data, "me")
    assert tokens
    write_tokens(data, tokens)
    assert load_tokens(data, "me") == tokens
    assert repr(tokens).count(tokens.refresh_token) == 0


def test_a_store_of_the_version_before_is_taken_over(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    path = token_path(pipeline.data, "me")
    path.parent.mkdir()
    held = {"refresh_token": spotify.refresh_token, "obtained_at": "2026-10-01T10:00:00+00:00"}
    path.write_text(json.dumps({**held, "access_token": "", "expires_at": ""}))
    path.chmod(0o600)
    succeeded(pipeline.slot(FIRST, task="ExtractRecent", SPOTIFY_REFRESH_TOKEN=""))
    tokens = load_tokens(pipeline.data, "me")
    assert tokens
    assert (tokens.authorized_at, tokens.account_id) == (held["obtained_at"], "sample")


def test_a_renewal_that_was_set_before_the_end_is_used_after_it(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    pipeline.environment["SPOTIFY_REFRESH_TOKEN"] = spotify.add_person(spotify.me)
    succeeded(pipeline.slot(SECOND, task="ExtractRecent"))
    del spotify.accounts.refresh_tokens[spotify.first_token]
    spotify.accounts.access_tokens.clear()
    succeeded(pipeline.slot(THIRD, task="ExtractRecent"))
    assert outcomes(pipeline)[THIRD] == "consent_ended"
    succeeded(pipeline.slot(FOURTH, task="ExtractRecent"))
    assert outcomes(pipeline)[FOURTH] == "polled"


def test_a_pause_that_the_library_met_with_is_told_by_the_next_slot(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack
) -> None:
    spotify.answers = [error("/v1/me/tracks", 429, "q", {"Retry-After": "80000"}, reason="QUOTA_EXCEEDED")]
    succeeded(pipeline.slot(FIRST, task="SyncSavedTracks"))
    for slot in (SECOND, THIRD):
        succeeded(pipeline.slot(slot, task="ExtractRecent", SLACK_WEBHOOK_URL=slack.url))
    assert len(slack.messages) == 1
    assert "is paused until" in slack.messages[0][1]["text"]


def test_a_pause_that_is_over_before_the_slot_is_fails_nothing(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.answers = [Answer(RECENT, 429, b"slow down")] * 2  # no Retry-After: a second is waited for, then another
    assert pipeline.slot(FIRST).returncode == NOT_ASKED
    succeeded(pipeline.slot(SECOND))


def test_a_long_pause_is_not_cut_short_by_a_shorter_one(data: Path) -> None:
    now = utc_now()
    for hours in (20, 1):
        write_pause(data, "me", Pause(now.isoformat(), (now + hours * HOUR).isoformat(), "quota"))
    pause = current_pause(data, "me", now)
    assert pause
    assert pause.ends_at == now + 20 * HOUR


def test_with_several_people_nobody_is_polled_before_it_is_known_who_it_is(
    pipeline: Pipeline, spotify: SampleSpotify
) -> None:
    spotify.page = page(*evening(3))
    spotify.answers = [Answer("/v1/me", 403, b"Forbidden")]
    process = pipeline.slot(FIRST, task="ExtractRecent", SPOTIFY_ACCOUNTS="me,ann")
    assert process.returncode == 30
    assert not any("recently-played" in call for call in spotify.calls)
    succeeded(pipeline.slot(FIRST, task="ExtractRecent", SPOTIFY_ACCOUNTS="me,ann"))
    # The plain variable is that of the first account.
    refused = pipeline.slot(FIRST, "--account", "ann", task="ExtractRecent", SPOTIFY_ACCOUNTS="me,ann")
    assert "account 'ann' has no consent yet" in refused.stderr
