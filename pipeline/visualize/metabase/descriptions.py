"""Descriptions of models and columns, from dbt into Metabase, by the package dbt-metabase.

https://github.com/gouline/dbt-metabase
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from pipeline import config
from pipeline.exchange import bound_session
from pipeline.transform import dbt
from pipeline.visualize.metabase.database import NAME
from pipeline.visualize.metabase.errors import MetabaseError, UnexpectedAnswer
from pipeline.visualize.metabase.role import SCHEMA

PARSED = "partial_parse.msgpack"


def describe_tables() -> None:
    """Write what is new or has changed. Metabase has read the tables already. Raises MetabaseError, DbtFailed."""
    from dbtmetabase import DbtMetabase, Filter
    from dbtmetabase.errors import MetabaseStateError

    settings = config.metabase()
    logging.getLogger("dbtmetabase").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        manifest = write_manifest(Path(folder))
        exporter = DbtMetabase(
            manifest,
            settings.url,
            metabase_api_key=settings.api_key,
            http_timeout=int(settings.timeout),
        )
        bound_session(exporter.metabase.session, retries=3)
        with contextlib.closing(exporter.metabase.session):
            try:
                exporter.export_models(
                    metabase_database=NAME, schema_filter=Filter(include=[SCHEMA]), skip_sources=True
                )
            except MetabaseStateError as error:
                words = config.scrub(str(error))
                raise MetabaseError(
                    f"not all descriptions have reached Metabase ({words}): the lines above name the model or column"
                    " that dbt knows and Metabase does not. Show it again if it is hidden in Metabase; or build the"
                    " models (luigi --module pipeline RebuildStaging) and publish again"
                ) from error
            except requests.RequestException as error:
                raise UnexpectedAnswer(
                    f"Metabase failed while descriptions were written ({type(error).__name__}). Its log says why; run"
                    " this again when it is well"
                ) from None


def write_manifest(folder: Path) -> Path:
    """dbt's manifest, which slots do not write: nobody reads it there. Raises DbtFailed."""
    with contextlib.suppress(OSError):
        shutil.copy(config.storage().root / "dbt" / PARSED, folder)  # what a slot has parsed
    process = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "--quiet", "--no-use-colors", "parse"],
        env={**os.environ, **dbt.environment(), "DBT_TARGET_PATH": str(folder)},
        capture_output=True,
        text=True,
    )
    if process.returncode:
        raise dbt.DbtFailed(f"dbt cannot read its project: {config.scrub(process.stdout).strip()[-2000:]}")
    return folder / "manifest.json"
