"""Kinds of incidents, each with what to do about it; docs/alerts.md has a row for each."""

from __future__ import annotations

from enum import Enum

from pipeline.causes import Cause, cause_of
from pipeline.extract.errors import AuthorizationError

DOCTOR = "python -m pipeline doctor checks the installation"
AGAIN = "Correct the cause, then run the same command again"


class Kind(Enum):
    """The first word of an incident's key, and the advice. A kind without advice cannot be defined."""

    # Causes that stop several tasks.
    DISK_FULL = Cause.DISK_FULL.word, Cause.DISK_FULL.fix
    NOT_WRITABLE = Cause.NOT_WRITABLE.word, Cause.NOT_WRITABLE.fix
    DATABASE = (
        "database",
        "Check that PostgreSQL runs and accepts the pipeline's user. Polls continue; the first slot that reaches"
        " PostgreSQL loads their plays",
    )
    SETTINGS = "settings", "Correct the setting that is named; the next slot uses it"
    # Of an account, or of the machine.
    PAUSE = "pause", "Nothing: polling goes on by itself when it is over"
    CONSENT = "consent", "Run: python -m pipeline authorize --account NAME"
    CONSENT_ENDS = "consent-ends", "Run: python -m pipeline authorize --account NAME"
    STALE = (
        "stale",
        "If you did listen: Spotify leaves out private sessions. Check with python -m pipeline status that it is your"
        " account",
    )
    DAMAGED = (
        "damaged",
        "The work continues without the file. docs/operation.md, Damaged state files, describes when to restore it from"
        " a backup; then delete the .damaged file",
    )
    NOTICE = "notice", "The message names what to do"
    NOT_STARTED = "not-started", f"The log has the error; {DOCTOR}"
    RUN = "run", f"The log's last lines have the error; {DOCTOR}"
    # Tasks, if none of the causes above is found.
    EXTRACT_RECENT = (
        "ExtractRecent",
        "The next slot asks again; plays are lost only where more than 50 come before one succeeds. If it goes on,"
        f" {DOCTOR}",
    )
    COPY_TO_STAGING = (
        "CopyToStaging",
        "Repair the file that is named, or restore it from a backup. Polls continue, and their plays are loaded then",
    )
    DBT_RUN = (
        "DbtRun",
        "The page stays as it was, plays are kept. Run the slot by hand and read dbt's error; check the rule or model"
        " that was changed last",
    )
    DBT_TEST = "DbtTest", "The marts are built but not tested: python -m pipeline dbt test names the test and its rows"
    RENDER_DASHBOARD = "RenderDashboard", "The page stays as it was; the marts are right. The log names the card"
    SYNC_SAVED_TRACKS = "SyncSavedTracks", "Plays are not changed; the next slot reads the library again"
    ENRICH_GENRES = "EnrichGenres", "Plays are not changed; the next slot fetches the genres again"
    EXTRACT_HISTORY = (
        "ExtractHistory",
        "Repair or request the export again, then run the same command: imported rows are kept",
    )
    COPY_HISTORY = "CopyHistory", AGAIN
    IMPORT_HISTORY = "ImportHistory", AGAIN
    REPLAY_RESPONSES = "ReplayResponses", AGAIN
    REBUILD_STAGING = "RebuildStaging", AGAIN
    PUBLISH_DASHBOARD = "PublishDashboard", "python -m pipeline metabase status checks the API key"
    SEND_SUMMARY = "SendSummary", "Every slot tries again, for six days"
    POLL_ACCOUNTS = "PollAccounts", f"The log names the tasks before it; {DOCTOR}"
    SPOTIFY_POLLED = "SpotifyPolled", f"The log names the tasks before it; {DOCTOR}"
    RUN_PIPELINE = "RunPipeline", f"The log names the tasks before it; {DOCTOR}"

    def __init__(self, word: str, advice: str) -> None:
        if not advice:
            raise ValueError(f"the kind {word} has no advice")
        self.word = word
        self.advice = advice


OF_EXIT_CODES = {
    10: "A slot hangs; polls continue. See what waits (ps, and pg_stat_activity); ending it loses nothing",
    35: "A task, the database or a file could not be read to see whether a task is done; the log has the error",
    40: "Luigi could not begin: a setting or luigi.cfg, most likely. The log's last lines name it",
    127: "The program was not found: set PIPELINE_BIN, or run make install",
    137: "The run was killed, perhaps for lack of memory. The next slot continues where it stopped",
    143: "The run was ended by SIGTERM, perhaps by a shutdown. The next slot continues where it stopped",
}
KINDS = {kind.word: kind for kind in Kind}


def advice(key: str, error: BaseException | None = None) -> str:
    """What to do about the incident `key`. An error whose message names the fix needs no other advice."""
    word, _, rest = key.partition(" ")
    if word == Kind.RUN.word and rest.isdecimal():
        return OF_EXIT_CODES.get(int(rest), Kind.RUN.advice)
    if isinstance(error, AuthorizationError):
        return "No poll succeeds before this is corrected; the message names how"
    sentence = KINDS.get(word, Kind.RUN).advice.replace("FOLDER", getattr(error, "filename", None) or "FOLDER")
    return sentence.replace("NAME", rest.removeprefix("account=")) if rest.startswith("account=") else sentence


def kind_of_cause(error: BaseException | str) -> Kind | None:
    """The kind if the cause is the disk or the owner of a file, whichever task met it."""
    cause = cause_of(error)
    return KINDS[cause.word] if cause else None
