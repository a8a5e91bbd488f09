"""ExtractRecent: one poll of the last 50 plays, kept and merged into the day partitions."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import luigi

from pipeline import config
from pipeline.extract import raw
from pipeline.extract.answers import utc_now
from pipeline.extract.errors import ConsentEnded, PartitionDamaged, RateLimited, SlotInFuture, SpotifyError
from pipeline.extract.files import account_lock, remove_torn
from pipeline.extract.partitions import newest_play
from pipeline.extract.pause import current_pause, write_pause
from pipeline.extract.poll import count_new_unreadable, describe_gaps, describe_silence, poll_recent
from pipeline.extract.records import (
    Record,
    failed_path,
    first_poll,
    latest_records,
    outcome,
    read_record,
    record_path,
    write_record,
)
from pipeline.extract.spotify import SpotifyClient
from pipeline.extract.tokens import WARNED, consent_ended, days_left, end_warning, load_tokens, note
from pipeline.slot import SlotTask

# What is younger was written by this run.
RUN_BEGAN_AT = utc_now()
CLOCKS_DIFFER = datetime.timedelta(minutes=5)


class ExtractRecent(SlotTask):
    """Asks Spotify for the last 50 plays; keeps the answer; adds what is new to the day partitions.

    The slot names this run, not a window of time: a past slot polls what Spotify has now. The target says when the
    poll really happened and which partitions it touched; or that none could be made, because Spotify must not be asked
    now or the consent has ended. Such a slot is done, and is done again when it is run once more after that is over.
    """

    priority = 30
    _polled_here = False

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(record_path(config.storage().root, self.account, self.run_at))

    def complete(self) -> bool:
        data = config.storage().root
        record = read_record(data, Path(self.output().path), utc_now())
        if record is None:
            return False
        if outcome(record) == "polled":
            return self._polled_here or not self._clock_was_set_back(data)
        if datetime.datetime.fromisoformat(record["fetched_at"]) > RUN_BEGAN_AT:
            return True  # written by this run, whose other tasks rely on it, though the reason may be gone by now
        if outcome(record) == "paused":
            return current_pause(data, self.account, utc_now()) is not None
        return consent_ended(data, self.account, config.spotify().refresh_token(self.account))

    def _clock_was_set_back(self, data: Path) -> bool:
        """Whether records are of moments to come. The slot's own was then written when it was this time before; whoever
        took it for done would not poll until the clock is where it was."""
        latest, _ = latest_records(data, self.account, utc_now())
        moment = datetime.datetime.fromisoformat(latest["fetched_at"]) if latest else RUN_BEGAN_AT
        return moment > utc_now() + CLOCKS_DIFFER

    def run(self) -> None:
        if self.run_at.replace(tzinfo=datetime.UTC) > utc_now():
            raise SlotInFuture(f"slot {self.slot} (UTC) is in the future: there is nothing to poll yet")
        data, target = config.storage().root, Path(self.output().path)
        with account_lock(data, self.account):
            if self.complete():
                return  # a run of the same slot has done it while this one waited for the lock
            remove_torn(target.parent)
            client = SpotifyClient(config.spotify(), data, self.account)
            try:
                record = self._poll(client, data)
            except (SpotifyError, PartitionDamaged) as error:
                moment = utc_now()
                failed = self._record("failed", client, moment, f"{type(error).__name__}: {error}")
                write_record(failed_path(target, moment), failed)
                raise
            if before := read_record(data, target, utc_now()):
                record["earlier"] = [*before.pop("earlier", []), before]
            write_record(target, record)
            self._polled_here = True
            # Only now: a response stays pending until a poll's target has named its partitions.
            if record["outcome"] == "polled":
                for path in raw.pending(data, self.account):
                    raw.archive(path)

    def _poll(self, client: SpotifyClient, data: Path) -> Record:
        try:
            polled = {**self._record("polled", client, utc_now()), **poll_recent(client, data, self.account)}
        except (RateLimited, ConsentEnded) as reason:
            paused = isinstance(reason, RateLimited)
            record = self._record("paused" if paused else "consent_ended", client, utc_now(), str(reason))
            if isinstance(reason, RateLimited):
                record["paused_until"] = reason.retry_at.isoformat()
            self.set_status_message(str(reason))  # type: ignore[misc]
            self._tell_once(data, reason)
            return record
        polled["slot"] = f"{self.run_at:%Y-%m-%dT%H:%MZ}"
        self.brought = f"{polled['items']} plays returned, {polled['new_plays']} new"
        self.set_status_message(self.brought)  # type: ignore[misc]
        attempted, polled_before = latest_records(data, self.account, utc_now())
        count_new_unreadable(polled, polled_before)
        for sentence in (*describe_silence(attempted, utc_now()), *describe_gaps(polled)):
            self.notice(sentence)
        self.over("pause", "consent")
        self._watch_the_consent(data)
        self._watch_for_silence(polled)
        return polled

    def _watch_the_consent(self, data: Path) -> None:
        if warning := end_warning(data, self.account, utc_now()):
            due, sentence = warning
            self.incident("consent-ends", sentence, again=True)
            note(data, self.account, warned=due)
        elif (days_left(data, self.account, utc_now()) or 0) > max(WARNED):
            self.over("consent-ends")

    def _watch_for_silence(self, polled: Record) -> None:
        """A long time without a play has a cause: a private session, another account, a broken phone. If the page is
        empty, the newest play of the partitions counts; without any play, the first poll."""
        days = config.slack().stale_days
        if not days:
            return
        data = config.storage().root
        newest = polled["newest"] or newest_play(data, self.account)
        since = newest or first_poll(data, self.account) or polled["fetched_at"]
        now = self.run_at.replace(tzinfo=datetime.UTC)
        if now - datetime.datetime.fromisoformat(since) > datetime.timedelta(days=days):
            what = "no play" if newest else "no play at all: Spotify returns empty pages"
            self.incident("stale", f"{what} of {self.account} since {since[:16].replace('T', ' ')} UTC")
        else:
            self.over("stale")

    def _tell_once(self, data: Path, reason: RateLimited | ConsentEnded) -> None:
        """Tell of a pause or of an ended consent, unless it was told before; whoever met with it, a poll or another."""
        if isinstance(reason, ConsentEnded):
            tokens = load_tokens(data, self.account)
            told = tokens is not None and tokens.told
        else:
            pause = current_pause(data, self.account, utc_now())
            told = pause is None or pause.told  # one that is over already is nobody's concern
        if told:
            self.remark(str(reason))
        else:
            self.incident("consent" if isinstance(reason, ConsentEnded) else "pause", str(reason))
        # Only now: told twice, after a kill, is better than never.
        if isinstance(reason, ConsentEnded):
            note(data, self.account, told=True)
        elif pause and not told:
            write_pause(data, self.account, dataclasses.replace(pause, told=True))

    def _record(self, outcome: str, client: SpotifyClient, moment: datetime.datetime, reason: str = "") -> Record:
        return {
            "slot": f"{self.run_at:%Y-%m-%dT%H:%MZ}",
            "account": self.account,
            "outcome": outcome,
            "fetched_at": moment.isoformat(),
            "calls": client.calls,
            "reason": config.scrub(reason),
            "token_days_left": days_left(client.data, self.account, moment),
        }
