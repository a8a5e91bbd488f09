"""What a step finds."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARNING, FAILED, SKIPPED = "ok", "warning", "FAILED", "skipped"


@dataclass(frozen=True)
class Finding:
    """`level`: ok; warning (works without); FAILED (a slot will not do all it should); skipped. `to_do`: empty where
    `what` says it."""

    level: str
    what: str
    to_do: str = ""

    @property
    def sentence(self) -> str:
        """On one line."""
        what = " ".join(self.what.split())
        return f"{what} → {self.to_do}" if self.to_do else what
