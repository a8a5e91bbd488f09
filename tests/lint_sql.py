"""`python -m tests.lint_sql`: dbt parse and sqlfluff. Both want a database, so an empty one is started for them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

BIN = Path(sys.executable).parent


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update({"DATA_DIR": folder, "DATABASE_URL": ""})
        from pipeline.load.postgres import ensure_schema, transaction
        from pipeline.transform.dbt import PROJECT, environment

        with transaction() as connection:
            ensure_schema(connection)
        settings = {**os.environ, **environment()}
        commands = (
            [str(BIN / "dbt"), "--quiet", "parse", "--no-partial-parse"],
            [str(BIN / "sqlfluff"), "lint", "--disable-progress-bar", str(PROJECT / "models"), str(PROJECT / "tests")],
        )
        return max(subprocess.run(command, env=settings).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())
