"""What was heard for the first time, and what became of it."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.oracle.history import History, grouped_by_each
from tests.oracle.numbers import Cells, Rows, Tally, ranks, share, tally
from tests.oracle.periods import Date, monday, period_of, periods


def new_artists(history: History) -> Rows:
    """Every artist, and in which week (of Monday) they were first heard. The rank is that among those of the week."""
    totals = {key: tally(plays) for key, plays in grouped_by_each(history.plays, history.artists).items()}
    weeks = {key: monday(play.date) for key, play in history.artists_first_heard.items()}
    of_week: dict[Date, dict[str, tuple[int, int]]] = defaultdict(dict)
    for key, week in weeks.items():
        of_week[week][key] = totals[key].score
    rank = {week: ranks(scores) for week, scores in of_week.items()}
    return {
        (history.account, key): {
            **totals[key].cells(),
            "artist_name": history.library.names[key],
            "first_played_at": first.ended_at,
            "first_played_date": first.date,
            "week_start": weeks[key],
            "is_this_week": weeks[key] == monday(history.today),
            "rank_of_week": rank[weeks[key]][key],
        }
        for key, first in history.artists_first_heard.items()
    }


def discovery(history: History) -> Rows:
    tracks = Counter(period_of("month", play.date) for play in history.first_heard.values())
    artists = Counter(period_of("month", play.date) for play in history.artists_first_heard.values())
    return {
        (history.account, month.start): {
            "new_tracks": tracks[month],
            "new_artists": artists[month],
            "is_complete": history.is_complete(month),
        }
        for month in periods("month", history.first_date, history.today)
    }


def cohorts(history: History) -> Rows:
    """The artists first heard in a year, in each year from then on. A play counts for each of its artists."""
    first_years = {key: play.date.year for key, play in history.artists_first_heard.items()}
    sizes = Counter(first_years.values())
    heard: dict[tuple[int, int], set[str]] = defaultdict(set)
    plays: Counter[tuple[int, int]] = Counter()
    for play in history.plays:
        for artist in history.artists(play):
            heard[first_years[artist], play.date.year].add(artist)
            plays[first_years[artist], play.date.year] += 1
    rows: Rows = {}
    for cohort, size in sizes.items():
        for year in range(cohort, history.today.year + 1):
            rows[history.account, cohort, year] = {
                "artists": size,
                "artists_heard": len(heard[cohort, year]),
                "share": share(len(heard[cohort, year]), size),
                "plays": plays[cohort, year],
            }
    return rows


def milestones(history: History) -> Rows:
    """On which local date the sum of plays, and of minutes, came to a round number; which play was the hundredth."""
    plays = sorted(history.plays, key=lambda play: (play.date, play.ended_at, play.play_id))
    rows: Rows = {}
    for number in round_numbers(len(plays), 1, 10, 50):
        play = plays[number - 1]
        rows[history.account, "plays", number] = {
            "reached_date": play.date,
            "played_at": play.ended_at,
            "track_name": history.track(play).name,
            "artists": history.track(play).artists,
        }
    by_date: dict[Date, Tally] = defaultdict(Tally)
    for play in plays:
        by_date[play.date].add(play)
    wanted = round_numbers(sum(day.ms for day in by_date.values()) // 60_000, 1_000, 1_000, 5_000)
    total = 0
    for date, day in sorted(by_date.items()):
        total += day.ms
        while wanted and total >= wanted[0] * 60_000:
            play_of_it: Cells = dict.fromkeys(("played_at", "track_name", "artists"))
            rows[history.account, "minutes", wanted.pop(0)] = {"reached_date": date, **play_of_it}
    return rows


def round_numbers(most: int, first: int, tens: int, fives: int) -> list[int]:
    """`first`; `tens` and `fives` times 1, 10, 100 …; as far as `most`, in order."""
    powers = [10**power for power in range(len(str(most)) + 1)]
    numbers = {first, *(tens * power for power in powers), *(fives * power for power in powers)}
    return sorted(number for number in numbers if number <= most)
