{{ config(unique_key=['account', 'track_uri'], incremental_strategy='delete+insert') }}

-- depends_on: {{ ref('int_days_to_rebuild') }}

with

-- Read twice below, and PostgreSQL would write such a CTE, the whole history, to disk first.
plays as not materialized (

    select * from {{ ref('fct_plays') }}

),

{% if is_incremental() %}

    touched_tracks as (

        select distinct
            plays.account,
            plays.track_uri
        from plays
        inner join {{ ref('int_days_to_rebuild') }} as rebuilt
            on plays.account = rebuilt.account and plays.played_date_utc = rebuilt.day_utc

    ),

    counted_plays as (

        select plays.*
        from plays
        inner join touched_tracks
            on plays.account = touched_tracks.account and plays.track_uri = touched_tracks.track_uri

    )

{% else %}

    counted_plays as (

        select * from plays

    )

{% endif %}

select
    account,
    track_uri,
    count(*) as plays,
    sum(ms_played)::bigint as ms_played,
    coalesce(sum(ms_played) filter (where is_estimated), 0)::bigint as ms_estimated,
    min(played_at) as first_played_at,
    max(played_at) as last_played_at
from counted_plays
group by account, track_uri
