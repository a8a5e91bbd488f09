"""`python -m pipeline dbt`: dbt itself, on the pipeline's database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    commands.add_parser("dbt", help="dbt on the pipeline's database, e.g.: dbt show -s rpt_top_tracks")


def run_dbt(arguments: list[str]) -> int:
    """dbt as a process of its own, all `arguments` its own (--help too); returns its exit code."""
    from pipeline.transform.dbt import environment

    dbt = str(Path(sys.executable).with_name("dbt"))
    return subprocess.run([dbt, *arguments], env={**os.environ, **environment()}).returncode
