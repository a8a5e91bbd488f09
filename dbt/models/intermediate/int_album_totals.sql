{{
    config(
        unique_key=['account', 'album_key'],
        incremental_strategy='delete+insert',
        pre_hook=["{{ memory_to_group() }}", "{{ delete_empty_totals('album_key') }}"],
        post_hook=[
            "{{ index_once('key', ['account', 'album_key'], unique=true) }}",
            "{{ index_once('rank', ['account', 'plays desc', 'ms_played desc']) }}",
            "{{ index_once('tracks', ['track_uris'], method='gin') }}",
            "{{ analyze_when_new() }}",
        ]
    )
}}

-- depends_on: {{ ref('int_days_to_rebuild') }}
-- depends_on: {{ ref('stg_spotify__plays') }}
-- depends_on: {{ ref('int_excluded_tracks') }}
-- depends_on: {{ ref('fct_plays') }}

-- What was heard of each album. Counted anew are those on which a track with news is, and those on which it was.
with

{% if is_incremental() %}

    albums as (

        {{ totals_of_touched_tracks('album_key') }}

    ),

{% endif %}

tracks as (

    select totals.*
    from {{ ref('int_track_totals') }} as totals
    {% if is_incremental() %}
        inner join albums
            on totals.account = albums.account and totals.album_key = albums.album_key
    {% else %}
        where totals.album_key is not null
    {% endif %}

)

select
    account,
    album_key,
    count(distinct recording_key) as tracks_heard,
    sum(plays)::bigint as plays,
    sum(ms_played)::bigint as ms_played,
    sum(ms_estimated)::bigint as ms_estimated,
    min(first_played_at) as first_played_at,
    max(last_played_at) as last_played_at,
    jsonb_agg(track_uri order by track_uri asc) as track_uris
from tracks
group by account, album_key
{{ 'order by account' if not is_incremental() }}
