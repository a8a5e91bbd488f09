{{ config(tags=['daily']) }}

-- However a whole history is added up, by day, track, year, sitting, album or artist, it is the same number of plays
-- and milliseconds. (Shared plays are sums of parts such as thirds, so a thousandth is let pass.)
with

totals as (

    {% for way in ('fct_listening_days', 'int_track_totals', 'fct_track_years', 'fct_sessions') %}
        select
            account,
            '{{ way }}' as way,
            sum(plays) as plays,
            sum(ms_played) as ms_played,
            sum(ms_estimated) as ms_estimated
        from {{ ref(way) }}
        group by account
        union all
    {% endfor %}
    select
        account,
        'int_album_totals and what is on no album' as way,
        sum(plays) as plays,
        sum(ms_played) as ms_played,
        sum(ms_estimated) as ms_estimated
    from (
        select
            account,
            plays,
            ms_played,
            ms_estimated
        from {{ ref('int_album_totals') }}
        union all
        select
            account,
            plays,
            ms_played,
            ms_estimated
        from {{ ref('int_track_totals') }}
        where album_key is null
    ) as counted
    group by account
    union all
    select
        account,
        'fct_artist_years and what credits nobody' as way,
        round(sum(plays), 3) as plays,
        round(sum(ms_played), 3) as ms_played,
        null as ms_estimated
    from (
        select
            account,
            plays_shared as plays,
            ms_shared as ms_played
        from {{ ref('fct_artist_years') }}
        union all
        select
            totals.account,
            totals.plays,
            totals.ms_played
        from {{ ref('int_track_totals') }} as totals
        where
            not exists (
                select 1
                from {{ ref('bridge_track_artists') }} as credits
                where credits.account = totals.account and credits.track_uri = totals.track_uri
            )
    ) as shared
    group by account

)

select
    days.account,
    other.way,
    days.plays,
    other.plays as plays_otherwise,
    days.ms_played,
    other.ms_played as ms_otherwise
from totals as days
inner join totals as other on days.account = other.account
where
    days.way = 'fct_listening_days'
    and (
        days.plays != other.plays
        or days.ms_played != other.ms_played
        or days.ms_estimated != other.ms_estimated
    )
