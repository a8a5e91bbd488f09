"""What became of a simulated month: the plays that Spotify showed, those that were captured, and what the ledger says.

A play that is lost has to lie in a gap. One kind alone is excused, by an exact rule: it came late itself (a younger one
had been shown by the page before), it had left the window by the first page after it was shown, and that page holds
nothing else that came late: then no page shows a trace. What was lost in its turn, in an overrun window, never is.
"""

from __future__ import annotations

import bisect
import dataclasses
import datetime
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pipeline.demo.person import WINDOW, Person, SamplePlay

Moment = datetime.datetime
Key = tuple[Moment, str, str, int]
HOUR = datetime.timedelta(hours=1)
LATE = datetime.timedelta(minutes=30)
# The latest arrival that the models reckon with: late_arrival_hours in dbt_project.yml.
RECKONED_WITH = 3 * HOUR


@dataclass(frozen=True)
class Results:
    """What the database says of one account. `gaps`: begin and end. `polls`: those that brought a page, oldest first:
    when it was fetched, how many plays it held, the oldest of them, and whether one was known."""

    captured: list[Key]
    steps: int
    gaps: list[tuple[Moment, Moment]]
    hours: dict[Moment, str]
    ledger: Counter[str]
    polls: list[tuple[Moment, int, Moment | None, bool | None]]


@dataclass
class Verdict:
    """The counts of one account; `broken`: a sentence for each promise that was not kept."""

    account: str
    made: int = 0
    captured: int = 0
    lost: int = 0
    lost_in_gaps: int = 0
    undetectable: int = 0
    unexplained: int = 0
    unexplained_in_3_hours: int = 0
    in_complete_hours: int = 0
    before_the_first_page: int = 0
    late: int = 0
    private: int = 0
    episodes: int = 0
    not_shown_yet: int = 0
    polls: dict[str, int] = field(default_factory=dict)
    short_pages: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    gaps: int = 0
    false_alarms: int = 0
    gap_hours: float = 0
    hours: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def read_results(connection: Any, account: str) -> Results:
    def rows(query: str) -> list[Any]:
        cursor.execute(query, (account,))
        return list(cursor.fetchall())

    with connection, connection.cursor() as cursor:
        return Results(
            captured=rows(
                "select played_at_utc, track_uri, song_name, song_duration_ms from staging.spotify_songs"
                " where account = %s"
            ),
            steps=rows("select coalesce(sum(steps), 0)::integer from marts.fct_plays where account = %s")[0][0],
            gaps=rows("select begins_at, ends_at from marts.fct_gaps where account = %s order by ends_at"),
            hours=dict(rows("select hour_at, completeness from marts.fct_capture_hours where account = %s")),
            ledger=Counter(
                dict(rows("select outcome, count(*) from staging.polls where account = %s group by outcome"))
            ),
            polls=rows(
                "select fetched_at, items, oldest, overlap from staging.polls"
                " where account = %s and outcome = 'polled' order by fetched_at"
            ),
        )


def judge(person: Person, expected: Counter[str], ended_at: Moment, found: Results) -> Verdict:
    """`expected`: rows and pages of the ledger, and how often each fault was, as the campaign knows them. `ended_at`:
    the moment of Spotify's last page."""
    captured_from = next(oldest for _, _, oldest, _ in found.polls if oldest)
    shown = [play for play in person.plays if play.kind != "private" and person.shown_at(play) <= ended_at]
    made = {key_of(play): play for play in shown if play.kind == "track"}
    captured = set(found.captured)
    missing = [play for key, play in made.items() if key not in captured]
    lost = [play for play in missing if moment_of(play) >= captured_from]
    outside = [play for play in lost if not any(begin <= moment_of(play) <= end for begin, end in found.gaps)]
    excused = [play for play in outside if left_no_trace(play, person, shown, found)]
    unexplained = [play for play in outside if play not in excused]
    complete = {hour for hour, completeness in found.hours.items() if completeness == "complete"}
    hidden = [
        play for play in lost if play not in excused and any(hour <= moment_of(play) < hour + HOUR for hour in complete)
    ]
    kinds = Counter(play.kind for play in person.plays)
    verdict = Verdict(
        person.account_id,
        made=len(made),
        captured=len(captured),
        lost=len(lost),
        lost_in_gaps=len(lost) - len(outside),
        undetectable=len(excused),
        unexplained=len(unexplained),
        unexplained_in_3_hours=sum(person.shown_at(play) - moment_of(play) <= RECKONED_WITH for play in unexplained),
        in_complete_hours=len(hidden),
        before_the_first_page=len(missing) - len(lost),
        late=sum(person.shown_at(play) - moment_of(play) > LATE for play in made.values()),
        private=kinds["private"],
        episodes=kinds["episode"],
        not_shown_yet=sum(play.kind == "track" and person.shown_at(play) > ended_at for play in person.plays),
        polls=dict(found.ledger),
        short_pages=sum(0 < items < WINDOW for _, items, _, _ in found.polls),
        faults={name: count for name, count in expected.items() if name not in ("rows", "pages")},
        gaps=len(found.gaps),
        false_alarms=sum(not any(begin <= moment_of(play) <= end for play in lost) for begin, end in found.gaps),
        gap_hours=round(sum((end - begin) / HOUR for begin, end in found.gaps), 1),
        hours=dict(Counter(found.hours.values())),
    )
    verdict.broken = [
        *describe("in no gap", unexplained, person, found),
        *describe("in hours called complete", hidden, person, found),
        *(f"captured, and never made: {key}" for key in captured - made.keys()),
        *differences("plays captured once", len(found.captured), len(captured)),
        *differences("steps of fct_plays", found.steps, len(found.captured)),
        *differences("rows of the ledger", sum(found.ledger.values()), expected["rows"]),
        *differences("pages in the ledger", found.ledger["polled"], expected["pages"]),
    ]
    return verdict


def left_no_trace(play: SamplePlay, person: Person, shown: list[SamplePlay], found: Results) -> bool:
    """Whether a play came late, and the first page after Spotify showed it holds none that did."""
    pages = [fetched for fetched, _, _, _ in found.polls]
    after = bisect.bisect_left(pages, person.shown_at(play))
    if not 0 < after < len(pages):
        return False
    before, page = pages[after - 1], pages[after]
    visible = [other for other in shown if person.shown_at(other) <= page]
    window = sorted(visible, key=lambda other: other.played_at, reverse=True)[:WINDOW]
    # Of episodes no page tells anything: neither that they were there before, nor that they came late.
    known = (each for each in visible if each.kind == "track" and person.shown_at(each) <= before)
    newest_known = max((each.played_at for each in known), default="")
    came_late = [
        each
        for each in (play, *window)
        if each.kind == "track" and person.shown_at(each) > before and each.played_at < newest_known
    ]
    return play not in window and came_late == [play]


def key_of(play: SamplePlay) -> Key:
    track = play.item["track"]
    return moment_of(play), track["uri"], track["name"], track["duration_ms"]


def moment_of(play: SamplePlay) -> Moment:
    return datetime.datetime.fromisoformat(play.played_at)


def describe(where: str, plays: list[SamplePlay], person: Person, found: Results) -> list[str]:
    """Lost plays: a sentence for each pair of pages between which Spotify first showed some."""
    between: dict[int, list[SamplePlay]] = {}
    for play in plays:
        after = bisect.bisect_left([poll[0] for poll in found.polls], person.shown_at(play))
        between.setdefault(after, []).append(play)
    sentences = []
    for after, some in sorted(between.items()):
        first, last = (f"{moment:%d %H:%M:%S}" for moment in (min(map(moment_of, some)), max(map(moment_of, some))))
        shown = min(map(person.shown_at, some))
        pages = "".join(
            f"; page of {fetched:%d %H:%M:%S}: {items} plays from {oldest or fetched:%d %H:%M:%S} on, overlap {overlap}"
            for fetched, items, oldest, overlap in found.polls[max(0, after - 1) : after + 1]
        )
        sentences.append(f"{len(some)} lost {where}: {first} to {last}, shown from {shown:%d %H:%M:%S} on{pages}")
    return sentences


def differences(what: str, found: int, expected: int) -> list[str]:
    return [] if found == expected else [f"{what}: {found} instead of {expected}"]


def report(seed: int, days: int, verdicts: list[Verdict]) -> tuple[str, dict[str, Any]]:
    """The same for people and for programs."""
    tables = [dataclasses.asdict(verdict) for verdict in verdicts]
    lines = [f"Seed {seed}, {days} days"]
    for name in (name for name in tables[0] if name != "broken"):
        values = [table[name] for table in tables]
        if isinstance(values[0], dict):
            for part in sorted({part for value in values for part in value}):
                lines.append(line(f"{name}: {part}", [value.get(part, 0) for value in values]))
        else:
            lines.append(line(name, values))
    broken = [f"{table['account']}: {sentence}" for table in tables for sentence in table.pop("broken")]
    lines += [f"BROKEN  {sentence}" for sentence in broken] or ["Both promises are kept."]
    accounts = {table.pop("account"): table for table in tables}
    return "\n".join(lines), {"seed": seed, "days": days, "accounts": accounts, "broken": broken}


def line(name: str, values: list[Any]) -> str:
    return f"  {name.replace('_', ' '):<28}" + "".join(f"{value!s:>10}" for value in values)
