"""What the cards of the predecessor's dashboard say, asked of the plays in `marts` alone: no report is read."""

from __future__ import annotations

PLAYS = (
    "(select plays.*, tracks.recording_key, totals.today, plays.ms_played as ms from marts.fct_plays as plays"
    " inner join marts.dim_tracks as tracks using (account, track_uri)"
    " inner join marts.dim_accounts as totals using (account)"
    " where plays.account = %(account)s and plays.content_type = 'track') as plays"
)
CREDITED = f"{PLAYS} inner join marts.bridge_track_artists as credits using (account, track_uri)"
MINUTES = "round(sum(ms) / 60000.0, 2)"
WEEKDAYS = "(array['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])"
# Card → its shown columns, or as many of the first as are asked here, row by row.
MART_QUESTIONS = {
    "minutes": f"select {MINUTES}, min(played_date) from {PLAYS}",
    "songs": f"select count(distinct recording_key), count(*) from {PLAYS}",
    "artists": f"select count(distinct artist_key) from {CREDITED}",
    "new-artists-this-week": (
        "select count(*) filter (where first_date >= date_trunc('week', today)) from"
        " (select artist_key, min(played_date) as first_date, max(today) as today"
        f" from {CREDITED} group by 1) as artists"
    ),
    "minutes-by-weekday": (
        f"select {WEEKDAYS}[number], coalesce((select {MINUTES} from {PLAYS}"
        " where extract(isodow from played_date) = number), 0) from generate_series(1, 7) as number order by number"
    ),
    "minutes-by-hour": (
        f"select lpad(number::text, 2, '0'), coalesce((select {MINUTES} from {PLAYS}"
        " where extract(hour from played_at_local) = number), 0) from generate_series(0, 23) as number order by 1"
    ),
    "minutes-by-day-of-month": (
        f"select number, coalesce((select {MINUTES} from {PLAYS}"
        " where extract(day from played_date) = number), 0) from generate_series(1, 31) as number order by number"
    ),
    "minutes-by-month": f"""select month::date, coalesce((select {MINUTES} from {PLAYS}
        where date_trunc('month', played_date) = month), 0) from (select generate_series(
        min(date_trunc('month', played_date)), max(date_trunc('month', today)), '1 month') as month
        from {PLAYS}) as months order by month""",
    "minutes-by-year": f"""select to_char(year, 'YYYY'), coalesce((select {MINUTES} from {PLAYS}
        where date_trunc('year', played_date) = year), 0) from (select generate_series(
        min(date_trunc('year', played_date)), max(date_trunc('year', today)), '1 year') as year
        from {PLAYS}) as years order by year""",
    "minutes-by-week": f"""select to_char(week, 'IYYY-"W"IW'), coalesce((select {MINUTES} from {PLAYS}
        where date_trunc('week', played_date) = week), 0) from (select generate_series(
        greatest(min(date_trunc('week', played_date)), max(date_trunc('week', today)) - interval '52 weeks'),
        max(date_trunc('week', today)), '1 week') as week from {PLAYS}) as weeks order by week""",
    "all-time-songs": (
        "select rank() over (order by count(*) desc, sum(ms) desc) as place, null, null, count(*) as plays,"
        f" {MINUTES}, null, max(played_date) from {PLAYS} group by recording_key"
        " order by place, recording_key limit 20"
    ),
    "top-songs": (
        "select rank() over (order by count(*) desc, sum(ms) desc) as place, null, null, count(*) as plays,"
        f" {MINUTES} from {PLAYS} where played_date between %(first_date)s and %(last_date)s group by recording_key"
        " order by place, recording_key limit 20"
    ),
    "top-artists": (
        "select rank() over (order by count(*) desc, sum(ms) desc) as place, null, count(*) as plays,"
        f" {MINUTES} from {CREDITED} where played_date between %(first_date)s and %(last_date)s group by artist_key"
        " order by place, artist_key limit 20"
    ),
    "hours-of-the-week": (
        f"select {WEEKDAYS}[day], " + ", ".join(
            f"coalesce((select {MINUTES} from {PLAYS} where extract(isodow from played_date) = day"
            f" and extract(hour from played_at_local) = {hour}), 0)" for hour in range(24)
        ) + " from generate_series(1, 7) as day order by day"
    ),
    "recently-played": (
        "select played_at_local, null, null, null, round(ms_played / 60000.0, 2) from marts.fct_plays"
        " where account = %(account)s order by played_at desc limit 50"
    ),
    "new-artists": (
        "select first_date, null, plays from (select min(played_date) as first_date, count(*) as plays, sum(ms) as ms,"
        f" artist_key, max(today) as today from {CREDITED} group by artist_key) as artists"
        " where first_date >= date_trunc('week', today)::date - 21"
        " order by date_trunc('week', first_date) desc, plays desc, ms desc, artist_key limit 30"
    ),
    "top-genres": (
        "select genre, round(sum(plays * weight), 2) from (select artist_key, sum(1.0 / credited) as plays from"
        " (select artist_key, played_date, count(*) over (partition by play_id) as credited"
        f" from {CREDITED}) as shared where played_date between %(first_date)s and %(last_date)s group by 1) as artists"
        " inner join marts.bridge_artist_genres as genres using (artist_key) where genres.account = %(account)s"
        " group by genre order by sum(plays * weight) desc limit 15"
    ),
}  # fmt: skip
