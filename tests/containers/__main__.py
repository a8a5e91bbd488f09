"""make image-trial: docker-compose.yml for real, in a copy of the project: built, started, used, stopped, looked at.

    python -m tests.containers              with the images that compose names
    python -m tests.containers --stand-in   as root, with stand-ins for those: tests/containers/standins.py

Spotify is the sample server of this process; Metabase, in both cases, the sample one. Needs Docker with compose 2.24 or
newer. What it makes is removed in the end.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from pipeline.config import PROJECT
from tests.containers import standins
from tests.containers.checks import confined, discreet, operated, published, stopped, with_files
from tests.containers.reachable import open_to_containers
from tests.containers.trial import HOST, HeldSpotify, Trial
from tests.samples import AWAKE_HOURS, evening, page


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.containers", description=__doc__)
    parser.add_argument("--stand-in", action="store_true", help="build stand-ins for the images that are pulled")
    options = parser.parse_args()
    if datetime.datetime.now(datetime.UTC).hour not in AWAKE_HOURS:
        print(
            "Between 7 and 14 UTC no slot is due, and the container's clock starts none: come back later.",
            file=sys.stderr,
        )
        return 1
    spotify = open_to_containers(HeldSpotify())
    spotify.page = page(*evening(30, date=f"{spotify.now - datetime.timedelta(days=1):%Y-%m-%d}"))
    with spotify, tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), spotify)
        reach = {"extra_hosts": [f"{HOST}:host-gateway"]}
        image = f"{trial.name}-metabase"
        services = {"pipeline": reach, "dashboard": reach, "metabase": {"image": image}}
        (trial.folder / "docker-compose.trial.yml").write_text(yaml.safe_dump({"services": services}))
        trial.write_env()
        described = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
        try:
            if options.stand_in:
                dockerfile = (PROJECT / "cron/Dockerfile").read_text()
                python = dockerfile.split("ARG PYTHON_IMAGE=")[1].split()[0]
                standins.build_bases(python, described["services"]["postgres"]["image"])
            begun = time.monotonic()
            trial.compose("build", "pipeline")
            own = described["services"]["pipeline"]["image"]
            size = subprocess.run(
                ["docker", "image", "inspect", "--format", "{{.Size}}", own], capture_output=True, check=True
            )
            print(f"built in {time.monotonic() - begun:.0f} s: {int(size.stdout) / 1e6:.0f} MB")
            standins.build_metabase(image, own, PROJECT / "tests")
            begun = time.monotonic()
            spotify.hold = True  # until a slot was stopped in the middle of its poll
            trial.compose("up", "--detach")
            print(f"docker compose up --detach: {time.monotonic() - begun:.1f} s")
            for service in ("postgres", "metabase-postgres", "luigid", "pipeline", "metabase"):
                trial.wait_until_healthy(service)
            confined(trial)
            published(trial)
            stopped(trial)
            operated(trial)
            trial.compose("up", "--detach")
            published(trial)
            discreet(trial)
            with_files(trial)
            discreet(trial)
        finally:
            trial.compose("down", "--volumes", "--remove-orphans", check=False)
            subprocess.run(["docker", "image", "rm", "--force", image], capture_output=True)
    print("All of it was so.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
