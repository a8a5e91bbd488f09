"""What is to be so of the containers: each says it, or ends the trial."""

from __future__ import annotations

import json
import re
import shutil
import time

import yaml

from pipeline.config import PROJECT
from tests.containers.trial import Trial, told

# A user of this machine, by number.
OWNER = 1000
# What luigid takes for being at work.
RUNNING = "localhost:8082/api/task_list?data=%7B%22status%22%3A%22RUNNING%22%7D"


def confined(trial: Trial) -> None:
    """The image's own user, nothing to be written but where it belongs, no capability."""
    for service in ("pipeline", "luigid"):
        status = trial.execute(service, "cat", "/proc/self/status")
        told(f"{service}: user {trial.execute(service, 'id', '-u').strip()}, not root", "Uid:\t0" not in status, trial)
        told(
            f"{service}: no capability, none to be had",
            "CapBnd:\t0000000000000000" in status and "NoNewPrivs:\t1" in status,
            trial,
        )
        for path in ("/", "/app", "/app/pipeline", "/app/dbt", "/etc", "/var"):
            refused = trial.execute(service, "touch", f"{path}/written", check=False)
            told(f"{service}: {path} cannot be written", "Read-only file system" in refused, trial)
    for service in ("postgres", "metabase-postgres"):
        told(f"{service}: not root", "Uid:\t0" not in trial.execute(service, "cat", "/proc/1/status"), trial)


def slot(trial: Trial) -> None:
    """From the clock's strike to tested marts."""
    before = trial.logs("pipeline").count("ended with exit code 0")
    trial.strike()
    trial.wait(
        "a slot, from the clock to the page", lambda: trial.logs("pipeline").count("ended with exit code 0") > before
    )
    plays = trial.execute("postgres", "psql", "-U", "listening", "-Atc", "select count(*) from marts.fct_plays").strip()
    told(f"marts.fct_plays has {plays} plays", int(plays) > 0, trial)
    page_made = trial.execute("pipeline", "ls", "data/dashboard/account=me/index.html", check=False)
    told("the page is in the data volume", "cannot access" not in page_made, trial)
    told(
        "the visualiser knows the run",
        "RunPipeline" in trial.execute("luigid", "curl", "-s", "localhost:8082/api/task_list?data=%7B%7D"),
        trial,
    )


def stopped(trial: Trial) -> None:
    """SIGTERM in the middle of a slot; the same slot goes on when the clock strikes again."""
    if not trial.spotify.waiting:  # else a half hour has begun meanwhile, by itself
        trial.strike()
    trial.wait("a slot begins, and asks Spotify", lambda: trial.spotify.waiting)
    begun = time.monotonic()
    trial.compose("stop", "pipeline")
    seconds = time.monotonic() - begun
    state = trial.inspect("pipeline")["State"]
    told(
        f"stopped in {seconds:.1f} s with exit code {state['ExitCode']}", state["ExitCode"] == 0 and seconds < 60, trial
    )
    told("the slot was told, and tidied up", "Interrupted" in trial.logs("pipeline"), trial)
    trial.spotify.hold = False
    trial.compose("start", "pipeline")
    # luigid takes a worker that ended for one that is slow, for a minute.
    trial.wait("luigid has given it up", lambda: '"response": {}' in trial.execute("luigid", "curl", "-s", RUNNING))
    slot(trial)


def operated(trial: Trial) -> None:
    """What docs/containers.md lets people type."""
    said = trial.execute("pipeline", "python", "-m", "pipeline", "backup", "--keep", "8")
    told("a backup is written beside the data", ".tar" in trial.execute("pipeline", "ls", "backups"), trial)
    print("\n".join(f"     {line}" for line in said.splitlines()[-2:]))
    said = trial.execute("pipeline", "python", "-m", "pipeline", "status", "--json", check=False)
    known, _ = json.JSONDecoder().raw_decode(said)  # warnings follow
    told(f"status: exit code {known['exit_code']}", known["exit_code"] in (0, 1), trial)
    found = trial.execute("pipeline", "python", "-m", "pipeline", "doctor", check=False)
    told("doctor finds nothing FAILED", "FAILED" not in found, trial)
    trial.compose("cp", "pipeline:/app/data/dashboard/account=me/index.html", ".")
    told("the page can be taken out", "Song 3" in (trial.folder / "index.html").read_text(), trial)


def published(trial: Trial) -> None:
    trial.wait("the dashboard is published", lambda: trial.inspect("dashboard")["State"]["Status"] == "exited", 300)
    told("the one-shot ended with 0", trial.inspect("dashboard")["State"]["ExitCode"] == 0, trial)
    said = trial.logs("dashboard")
    print("\n".join(f"     {line.split('|', 1)[-1].strip()}" for line in said.splitlines() if "/dashboard/" in line))


def discreet(trial: Trial) -> None:
    said = trial.logs()
    leaked = [name for name, secret in trial.secret.items() if secret in said]
    told("no password in any log", not leaked, trial)


def with_files(trial: Trial) -> None:
    """Anew, as docs/containers.md says it: the database's password in a file, data in a folder of somebody's own."""
    trial.compose("down", "--volumes")
    (override,) = re.findall(r"```yaml\n(.*?)```", (PROJECT / "docs/containers.md").read_text(), re.DOTALL)
    (trial.folder / "docker-compose.override.yml").write_text(override)
    (trial.folder / "secrets").mkdir(mode=0o700)
    for name in yaml.safe_load(override)["secrets"]:
        secret = trial.folder / "secrets" / name
        secret.write_text(trial.secret["warehouse"] + "\n")
        secret.chmod(0o444)
    for name in ("data", "backups"):
        (trial.folder / name).mkdir()
        shutil.chown(trial.folder / name, OWNER, OWNER)
    own = {"DATA_VOLUME": "./data", "BACKUP_VOLUME": "./backups", "PIPELINE_USER": f"{OWNER}:{OWNER}"}
    trial.write_env(POSTGRES_PASSWORD="", **own)
    trial.compose("up", "--detach")
    for service in ("pipeline", "postgres", "luigid"):
        trial.wait_until_healthy(service)
    slot(trial)
    published(trial)
    for service in ("postgres", "pipeline", "luigid", "dashboard"):
        shown = json.dumps(trial.inspect(service)["Config"])
        told(f"{service}: docker inspect shows no password", trial.secret["warehouse"] not in shown, trial)
    (partition,) = (trial.folder / "data/spotify_songs").rglob("*.csv")
    told("the files are that user's", partition.stat().st_uid == OWNER, trial)
