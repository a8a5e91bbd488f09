"""What happens when the package is imported: settings are found, logs and scheduler chosen; or what is wrong is said.

A luigi.cfg in the present folder is read by `luigi` before it knows of this package: what is wrong with that one, the
command `luigi` can only tell as a traceback, `python -m pipeline` in a sentence.
"""

from __future__ import annotations

import configparser
import logging
import os
import sys
from pathlib import Path

# [retcode] unhandled_exception, which cannot be asked of a luigi.cfg that cannot be read.
NOT_STARTED = 40


def explain(error: configparser.Error) -> str:
    """What is wrong with luigi.cfg, and where: by number alone, for a line may hold a secret."""
    lines = [number for number, _ in getattr(error, "errors", ())] or [getattr(error, "lineno", "?")]
    where = f"{getattr(error, 'source', 'luigi.cfg')}, line {', '.join(map(str, lines))}"
    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"{where}: a setting before the first [section]. Put it below the name of its section"
    if isinstance(error, configparser.DuplicateSectionError):
        return f"{where}: the section [{error.section}] is there twice. Make one of them"
    if isinstance(error, configparser.DuplicateOptionError):
        return f"{where}: {error.option} is set twice in [{error.section}]. Delete one of the two"
    return f"{where}: not of the form name = value. Correct the line; a remark begins with # in its first column"


try:
    import luigi.interface  # noqa: F401  reads ./luigi.cfg
except configparser.Error as error:
    sys.exit(explain(error))
except UnicodeDecodeError:
    sys.exit("luigi.cfg is not UTF-8: write it anew, as plain text")

from pipeline import config, logs  # noqa: E402
from pipeline.scheduler import choice  # noqa: E402

logger = logging.getLogger("luigi-interface")


def begin() -> None:
    """Ends the process, with a sentence, where nothing could be read; and `luigi` where a setting is wrong: commands of
    `python -m pipeline` come to that themselves, and some are there to look at it."""
    os.umask(0o077)  # also if the settings cannot be read
    try:
        choice.read_luigi_cfg()
        logs.install()
        choice.choose_scheduler()
        os.umask(config.storage().umask)
        config.slots()  # cron/run.sh starts a run if it cannot read these settings
        if is_luigi():
            from pipeline.config.names import check_names

            check_names()
    except configparser.Error as error:
        _refuse(explain(error))
    except config.SettingError as error:
        if is_luigi():
            _refuse(str(error))


def _refuse(sentence: str) -> None:
    logger.critical(sentence)
    sys.exit(NOT_STARTED if is_luigi() else 1)


def is_luigi() -> bool:
    """Whether this process is the command `luigi`."""
    program = Path(sys.argv[0])
    return "luigi" in (program.name, program.parent.name)
