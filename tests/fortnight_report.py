"""What became of a simulated fortnight: slots, exit codes, faults, messages, plays; which promise broke."""

from __future__ import annotations

import datetime
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.demo.accounts import SampleAccounts
from pipeline.demo.person import Person
from tests.month_report import Verdict, judge, read_results

Moment = datetime.datetime
DAY = datetime.timedelta(days=1)
NOT_STARTED = "the pipeline could not be started"


@dataclass
class Diary:
    """`messages`: the text of each that Slack took, and when. `codes`: how often a slot ended with which exit code, as
    the log has it; what was said while its disk was full is lost. `weeks`: how many were over."""

    person: Person
    due: int
    weeks: int
    started: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    messages: list[tuple[Moment, str]] = field(default_factory=list)
    verdict: Verdict | None = None
    told: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def read_logs(self, logs: Path) -> None:
        text = "".join(path.read_text(errors="replace") for path in sorted(logs.glob("cron-*.log")))
        self.started = len(re.findall(r", slot \S+ begins", text))
        self.codes = Counter(map(int, re.findall(r", slot \S+ ended with exit code (\d+)", text)))

    def in_short(self) -> str:
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(self.codes.items()))
        return f"{self.started} slots in the log, exit codes {codes}; {len(self.messages)} messages"

    def report(self) -> tuple[str, dict[str, Any]]:
        """The same for people and for programs."""
        assert self.verdict is not None
        plays = {name: getattr(self.verdict, name) for name in ("made", "captured", "lost", "lost_in_gaps", "gaps")}
        plays |= {"undetectable": self.verdict.undetectable, "polls": self.verdict.polls}
        summary = {
            "slots_due": self.due,
            "slots_in_the_log": self.started,
            "exit_codes": dict(sorted(self.codes.items())),
            "faults": dict(sorted(self.faults.items())),
            "messages": len(self.messages),
            "told": dict(self.told),
            "plays": plays,
            "broken": self.broken,
        }
        lines = []
        for name, value in summary.items():
            if isinstance(value, dict):
                lines += [
                    f"  {name.replace('_', ' ')}: {part}".ljust(44) + f"{count!s:>8}" for part, count in value.items()
                ]
            elif name != "broken":
                lines.append(f"  {name.replace('_', ' ')}".ljust(44) + f"{value!s:>8}")
        lines += [f"BROKEN  {sentence}" for sentence in self.broken] or ["Every promise is kept."]
        return "\n".join(lines), summary


def judge_fortnight(diary: Diary, connection: Any, data: Path, secrets: set[str]) -> None:
    """Fill in what was lost, what was told, and what is broken."""
    found = read_results(connection, diary.person.account_id)
    # How many rows the ledger must have is known from the files alone: each record is one, and each page in it.
    expected = Counter({"rows": sum(found.ledger.values()), "pages": found.ledger["polled"]})
    diary.verdict = judge(diary.person, expected, found.polls[-1][0], found)
    diary.broken += diary.verdict.broken
    diary.broken += [
        f"a secret was told: {text}"
        for _, text in diary.messages
        if any(secret in text for secret in SampleAccounts.issued | secrets)
    ]
    parts = [(moment, part) for moment, text in diary.messages for part in text.split("\n\n")]
    judge_messages(diary, parts)
    path = data / "alerts" / "incidents.json"
    left = json.loads(path.read_bytes())["incidents"] if path.exists() else []
    diary.broken += [f"an incident is open in the end: {each['key']}: {each['cause']}" for each in left]
    diary.broken += [f"a message was never sent: {each.name}" for each in sorted(data.glob("alerts/outbox/*.json"))]


def judge_messages(diary: Diary, parts: list[tuple[Moment, str]]) -> None:
    """Each incident is told once when it begins, once a day, and once when it is over; each week once."""
    weeks = [part.partition("\n")[0] for _, part in parts if part.startswith("*Week ")]
    begun = [part for _, part in parts if not part.startswith(("Still: ", "Recovered: ", "*Week "))]
    still = [(moment, part.partition("\n")[0]) for moment, part in parts if part.startswith("Still: ")]
    ends = [part for _, part in parts if part.startswith("Recovered: ")]
    over = [part for part in ends if NOT_STARTED not in part]
    # What lasts says since when; what the wrapper tells in the pipeline's place says it once a day.
    lasting = [part for part in begun if "\nSince " in part]
    by_curl = [part for part in begun if part.startswith("*Slot ") and NOT_STARTED in part]
    unheard = [part for part in over if "(it began " in part]
    diary.told = Counter(
        {
            "incidents begun": len(lasting) + len(unheard),
            "recovered": len(over),
            "reminders": len(still),
            "weeks": len(weeks),
            "notices": len(begun) - len(lasting) - len(by_curl),
            "pipeline could not be started": len(by_curl),
        }
    )
    if not diary.weeks == len(set(weeks)) == len(weeks):
        diary.broken.append(f"{diary.weeks} weeks were over, and told were: {', '.join(weeks) or 'none'}")
    if by_curl and len(over) == len(ends):
        diary.broken.append("that the pipeline can be started again was not told")
    diary.broken += [f"told {count} times: {part}" for part, count in Counter(begun).items() if count > 1]
    if len(lasting) + len(unheard) != len(over):
        diary.broken.append(f"{len(lasting) + len(unheard)} incidents began, and {len(over)} are told to be over")
    for number, (moment, part) in enumerate(still):
        if any(other == part and moment - DAY < before < moment for before, other in still[:number]):
            diary.broken.append(f"told again within a day: {part}")
