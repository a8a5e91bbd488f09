"""python -m tests.listener FOLDER --plays N --seed S: an export of about N rows, unpacked and as a zip."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import time
from pathlib import Path

from tests.listener.export import write_export
from tests.listener.truth import listen

BEGIN = datetime.datetime(2016, 10, 1, tzinfo=datetime.UTC)
DAYS = 3_652


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.listener", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plays", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--generation", choices=("endsong", "streaming_history"), default="streaming_history")
    parser.add_argument("--begin", type=datetime.date.fromisoformat, default=BEGIN.date(), help="date, UTC")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--clean", action="store_true", help="without defects")
    arguments = parser.parse_args()
    started = time.perf_counter()
    begin = datetime.datetime.combine(arguments.begin, datetime.time(), datetime.UTC)
    manifest = write_export(
        arguments.folder,
        listen(arguments.seed, begin, arguments.days, arguments.plays / arguments.days),
        generation=arguments.generation,
        seed=arguments.seed,
        clean=arguments.clean,
        zip_too=arguments.folder / "my_spotify_data.zip",
        keep_expected=False,
    )
    size = sum((arguments.folder / file.name).stat().st_size for file in manifest.files)
    summary = {
        "files": len(manifest.files),
        "megabytes": round(size / 1e6),
        "rows": manifest.rows,
        "plays": manifest.plays,
        "exact_duplicates": manifest.exact,
        "near_duplicates": dict(manifest.near),
        "bad": dict(manifest.bad),
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
