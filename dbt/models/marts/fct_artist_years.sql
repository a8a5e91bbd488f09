{{
    config(
        pre_hook=["{{ memory_to_group() }}", "{{ delete_artist_years() }}"],
        post_hook=[
            "{{ index_once('key', ['account', 'played_year', 'artist_key'], unique=true) }}",
            "{{ index_once('artist', ['account', 'artist_key']) }}",
            "{{ analyze_when_new() }}",
        ]
    )
}}

-- depends_on: {{ ref('int_days_to_count') }}
-- depends_on: {{ ref('dim_tracks') }}
-- depends_on: {{ ref('int_news_tracks') }}

-- What was heard of each artist in each local year. A play counts for every artist credited on it; of the shared plays
-- each has an equal part, so that these add up to the plays.
with

{% if is_incremental() %}

    to_count as (

        {{ artist_years_to_count() }}

    ),

{% endif %}

tracks as (

    select counted.*
    {% if is_incremental() %}
        from to_count
        cross join lateral (
            select years.*
            from {{ ref('fct_track_years') }} as years
            where years.account = to_count.account and years.played_year = to_count.played_year
            offset 0  -- noqa: AM09
        ) as counted
    {% else %}
        from {{ ref('fct_track_years') }} as counted
    {% endif %}

),

credits as (

    select
        account,
        track_uri,
        artist_key,
        credited
    from {{ ref('int_track_credits') }}
    {% if is_incremental() %}
        where account in (select to_count.account from to_count)
    {% endif %}

)

select
    tracks.account,
    tracks.played_year,
    credits.artist_key,
    sum(tracks.plays)::bigint as plays,
    sum(tracks.ms_played)::bigint as ms_played,
    sum(tracks.ms_estimated)::bigint as ms_estimated,
    sum(tracks.plays::numeric / credits.credited)::numeric(38, 12) as plays_shared,
    sum(tracks.ms_played::numeric / credits.credited)::numeric(38, 12) as ms_shared,
    min(tracks.first_played_at) as first_played_at,
    max(tracks.last_played_at) as last_played_at
from tracks
inner join credits
    on tracks.account = credits.account and tracks.track_uri = credits.track_uri
group by tracks.account, tracks.played_year, credits.artist_key
