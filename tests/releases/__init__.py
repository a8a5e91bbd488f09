"""What releases have left on people's disks: a data folder and the tables of a database, as each wrote them.

Today's program has to bring every one of them up (tests/test_upgrade.py). Folders are named by the release; those with
a date are of before the first. A new release adds its own, and none is ever changed:

    python -m tests.releases 0.2.0

Tokens are replaced by words; everything else is as the program wrote it for a made-up listener.
"""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
# In place of whatever the sample Spotify gave.
REFRESH_TOKEN = "refresh-token-of-a-release"


def releases() -> list[Path]:
    """Oldest first."""
    found = [path for path in FOLDER.iterdir() if (path / "database.sql").exists()]
    return sorted(found, key=lambda path: ("." in path.name, [int(part) for part in re.findall(r"\d+", path.name)]))
