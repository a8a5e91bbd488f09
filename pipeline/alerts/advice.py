"""What to do about an incident, in a sentence; docs/alerts.md says more of each."""

from __future__ import annotations

DOCTOR = "python -m pipeline doctor says what is amiss"
# By the first word of an incident's key: a task, or what has no task.
ADVICE = {
    "ExtractRecent": "The next slot asks again; plays are lost only where more than 50 come before one succeeds. If it"
    f" goes on, {DOCTOR}",
    "CopyToStaging": "Repair the file that is named, or restore it from a backup. Polls go on, and what they bring is"
    " loaded then",
    "DbtRun": "The page stays as it was, plays are kept. Run the slot by hand and read what dbt says; a rule or model"
    " that was changed last is the first suspect",
    "DbtTest": "The marts are built but not proven: python -m pipeline dbt test names the test and its rows",
    "RenderDashboard": "The page stays as it was; the marts are right. The log says which card failed",
    "SyncSavedTracks": "Plays are not touched; the library is read again in the next slot",
    "EnrichGenres": "Plays are not touched; the next slot asks again",
    "ExtractHistory": "Repair or request the export again, then run the same command: what is in stays in",
    "CopyHistory": "Run the same command again once the cause is gone",
    "ImportHistory": "Run the same command again once the cause is gone",
    "PublishDashboard": "python -m pipeline metabase status says whether the key is let in",
    "SendSummary": "It is tried again with every slot, for six days",
    "RunPipeline": f"The tasks before it are named in the log; {DOCTOR}",
    "database": "See whether PostgreSQL runs and lets the pipeline in. Polls go on; what they bring is loaded by the"
    " first slot that can",
    "settings": "Correct the setting that is named; the next slot goes on",
    "not-started": "",  # it is over when this is told
    "pause": "Nothing: polling goes on by itself when it is over",
    "consent": "",  # the cause says it
    "consent-ends": "",
    "damaged": "The work continues without the file. docs/operation.md, Damaged state files, says whether to restore it"
    " from a backup; then delete the .damaged file",
    "stale": "If you did listen: Spotify leaves out private sessions; and see that it is your account with"
    " python -m pipeline status",
    "run": f"The log's last lines say more; {DOCTOR}",
}
# The slot that is still running, and what Luigi could not even begin.
OF_EXIT_CODES = {
    10: "A slot hangs; polls are made all the same. See what waits (ps, and pg_stat_activity); ending it loses nothing",
    35: "The database or a file could not be asked whether a task is done; the log has the error",
    40: "Luigi could not begin: a setting or luigi.cfg, most likely. The log's last lines name it",
    127: "The program was not found: set PIPELINE_BIN, or run make install",
    137: "The run was killed, for want of memory perhaps. The next slot goes on where it stopped",
    143: "The run was asked to end (SIGTERM), by a shutdown perhaps. The next slot goes on where it stopped",
}


def advice(key: str) -> str:
    kind, _, rest = key.partition(" ")
    if kind == "run" and rest.isdecimal():
        return OF_EXIT_CODES.get(int(rest), ADVICE["run"])
    return ADVICE.get(kind, ADVICE["run"])
