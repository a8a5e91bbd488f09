{{
    config(
        pre_hook=[
            "{{ function_heard_between() }}",
            "{{ function_listened_between() }}",
        ]
    )
}}

-- depends_on: {{ ref('int_recording_totals') }}
-- depends_on: {{ ref('int_track_totals') }}
-- depends_on: {{ ref('int_artist_totals') }}
-- depends_on: {{ ref('int_track_credits') }}
-- depends_on: {{ ref('bridge_artist_genres') }}
-- depends_on: {{ ref('fct_artist_years') }}
-- depends_on: {{ ref('fct_listening_days') }}
-- depends_on: {{ ref('fct_listening_hours') }}
-- depends_on: {{ ref('fct_sessions') }}
-- depends_on: {{ ref('dim_tracks') }}
-- depends_on: {{ ref('dim_artists') }}
-- depends_on: {{ ref('dim_albums') }}

-- Any month, quarter or year in one row, against the one before it. Ask for one period: each is counted when it is
-- asked for, by functions of macros/functions.
with

periods as (

    select
        *,
        lag(plays) over (partition by account, grain order by period_start) as plays_before,
        lag(ms_played) over (partition by account, grain order by period_start) as ms_before,
        lag(is_complete) over (partition by account, grain order by period_start) as is_complete_before,
        lag(period_start) over (partition by account, grain order by period_start) as before_start
    from {{ ref('int_periods') }}
    where grain != 'week'

)

select
    periods.account,
    periods.grain,
    periods.period_start,
    periods.period_end,
    periods.label,
    periods.is_complete,
    {{ has_open_gap_between('accounts', 'periods.period_start', 'periods.period_end') }} as is_at_least,
    periods.plays,
    {{ minutes('periods.ms_played') }} as minutes,
    {{ minutes('periods.ms_estimated') }} as minutes_estimated,
    heard.tracks,
    heard.artists,
    heard.albums,
    heard.new_tracks,
    heard.new_artists,
    periods.days_listened,
    coalesce(listened.longest_streak, 0) as longest_streak,
    listened.busiest_date,
    {{ minutes('listened.busiest_ms') }} as busiest_minutes,
    listened.top_hour,
    {{ share('listened.skips', 'listened.plays_judged') }} as skip_share,
    listened.sessions,
    {{ minutes('listened.longest_session_ms') }} as longest_session_minutes,
    heard.top_track,
    heard.top_track_artists,
    heard.top_track_plays,
    heard.top_artist,
    heard.top_artist_plays,
    heard.top_album,
    heard.top_album_plays,
    heard.top_genre,
    {{ share('heard.top_genre_plays', 'periods.plays') }} as top_genre_share,
    periods.plays_before,
    {{ minutes('periods.ms_before') }} as minutes_before,
    case when periods.before_start is not null then heard.tracks_before end as tracks_before,
    case when periods.before_start is not null then heard.artists_before end as artists_before,
    case
        when periods.is_complete and periods.is_complete_before
            then {{ change('periods.ms_played', 'periods.ms_before') }}
    end::numeric(20, 4) as change
from periods
inner join {{ ref('dim_accounts') }} as accounts on periods.account = accounts.account
cross join
    intermediate.heard_between(periods.account, periods.period_start, periods.period_end, periods.before_start) as heard
cross join intermediate.listened_between(periods.account, periods.period_start, periods.period_end) as listened
