"""Which files of the data folder go into a backup, and come back from one: those that the program itself writes.

Any other name in an archive is skipped: an archive from elsewhere could hold code, such as luigid's pickled state or
settings of the embedded PostgreSQL.
"""

from __future__ import annotations

import re
import stat

from pipeline.config import AccountParameter
from pipeline.data_format import FILE
from pipeline.extract.datasets import DATASETS

# Folders of which every file has mode 0600.
SECRETS = ("tokens", "metabase")
ACCOUNT = f"account={AccountParameter.pattern.pattern}"
MONTH, DATE, STAMP = r"\d{4}/\d{2}", r"\d{4}-\d{2}-\d{2}", r"\d{8}T\d{6}\.\d{6}Z"
PATHS = (
    re.escape(FILE),
    rf"(?:{'|'.join(dataset.name for dataset in DATASETS)})/{ACCOUNT}/{MONTH}/{DATE}\.csv",
    rf"raw/recently_played/{ACCOUNT}/(?:{MONTH}|pending|rejected)/{STAMP}\.json\.gz",
    rf"polls/{ACCOUNT}/{MONTH}/{DATE}T\d{{4}}\.json",
    rf"imports/{ACCOUNT}/{STAMP}\.json",
    rf"(?:accounts|tokens|pauses)/{ACCOUNT}\.json",
    rf"summaries/{ACCOUNT}/\d{{4}}(?:-W?\d{{2}})?\.json",
    r"metabase/(?:api_key|database_password)",
)
# Damaged files, which pipeline/state_files.py has set aside, are kept as well.
ALLOWED = re.compile(rf"(?:{'|'.join(PATHS)})(?:\.(?:\d+\.)?damaged)?", re.ASCII)


def is_allowed(path: str) -> bool:
    """`path`: relative to the data folder, with slashes."""
    return ALLOWED.fullmatch(path) is not None


def allowed_mode(path: str, mode: int) -> int:
    """0600, or 0644 if others could read the file and it is no secret."""
    is_shared = mode & stat.S_IROTH and path.partition("/")[0] not in SECRETS
    return 0o644 if is_shared else 0o600
