"""SendSummary: a period that is over, told once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import luigi

from pipeline import config
from pipeline.alerts.outbox import put_message
from pipeline.alerts.periods import check_period
from pipeline.alerts.services import wants_to_be_told
from pipeline.alerts.summary import summarize
from pipeline.config import AccountParameter
from pipeline.extract.answers import utc_now
from pipeline.extract.files import write_atomic
from pipeline.load.postgres import transaction
from pipeline.state_files import NotAsWritten, json_object, moment, read_state, texts


class PeriodParameter(luigi.Parameter):
    """A week, a month or a year. It becomes part of a path."""

    def normalize(self, x: str) -> str:
        return check_period(x)


class SendSummary(luigi.Task):
    """Puts a message about a week, month or year among those on their way to Slack, which are sent when the run ends;
    with the picture of Wrapped where a bot token lets pictures in. The target keeps what was said."""

    account: str = AccountParameter(default="me", description="Whose history.")
    period: str = PeriodParameter(description="2026-W47, 2026-10 or 2025; it has to be over.")

    def output(self) -> luigi.LocalTarget:
        folder = config.storage().root / "summaries" / f"account={self.account}"
        return luigi.LocalTarget(folder / f"{self.period}.json")

    def complete(self) -> bool:
        path = Path(self.output().path)
        return bool(read_state(config.storage().root, path, lambda content: self._parse(content)))

    def _parse(self, content: bytes) -> dict[str, Any]:
        """Raises ValueError, KeyError."""
        kept = json_object(content)
        if (kept["account"], kept["period"]) != (self.account, self.period):
            raise NotAsWritten("it is the summary of another account or period")
        moment(kept["made_at"])
        texts(kept, ("text",))
        return kept

    def run(self) -> None:
        if not wants_to_be_told():
            raise config.SettingError("nobody is to be told: set SLACK_WEBHOOK_URL, SLACK_BOT_TOKEN or NOTIFY_URLS")
        with transaction() as connection:
            text = summarize(connection, self.account, self.period)
            picture = self._picture(connection) if text else None
        now = utc_now()
        if text:
            put_message(config.storage().root, text, now, self.account, picture)
        kept = {"account": self.account, "period": self.period, "made_at": now.isoformat(), "text": text}
        write_atomic(Path(self.output().path), (json.dumps(kept, indent=1) + "\n").encode())

    def _picture(self, connection: Any) -> bytes | None:
        """Of the month or the year; of a week, that of the year it lies in."""
        if config.slack().webhook_url and not config.notify_urls():
            return None  # webhooks take no files
        from pipeline.visualize.picture import NoSuchPeriod, wrapped_picture

        try:
            return wrapped_picture(connection, self.account, self.period.partition("-W")[0])[1]
        except NoSuchPeriod:
            return None
