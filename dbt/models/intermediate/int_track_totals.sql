{{
    config(
        pre_hook="{{ delete_touched_tracks() }}",
        post_hook=[
            "{{ index_once('key', ['account', 'track_uri'], unique=true) }}",
            "{{ index_once('recording', ['account', 'recording_key']) }}",
            "{{ index_once('album', ['account', 'album_key']) }}",
            "{{ analyze_when_new() }}",
        ]
    )
}}

-- depends_on: {{ ref('int_days_to_rebuild') }}
-- depends_on: {{ ref('stg_spotify__plays') }}
-- depends_on: {{ ref('int_excluded_tracks') }}
-- depends_on: {{ ref('fct_plays') }}

-- What was heard of each track over the whole history. A track becomes a release of another recording by news of its
-- own, so recording_key stands here too.
with

{% if is_incremental() %}

    touched as (

        {{ touched_tracks() }}

    ),

{% endif %}

years as (

    select years.*
    from {{ ref('fct_track_years') }} as years
    {% if is_incremental() %}
        inner join touched on years.account = touched.account and years.track_uri = touched.track_uri
    {% endif %}

),

totals as (

    select
        account,
        track_uri,
        sum(plays)::bigint as plays,
        sum(ms_played)::bigint as ms_played,
        sum(ms_estimated)::bigint as ms_estimated,
        sum(skips)::bigint as skips,
        sum(plays_judged)::bigint as plays_judged,
        min(first_played_at) as first_played_at,
        max(last_played_at) as last_played_at
    from years
    group by account, track_uri

)

select
    totals.account,
    totals.track_uri,
    tracks.recording_key,
    tracks.album_key,
    totals.plays,
    totals.ms_played,
    totals.ms_estimated,
    totals.skips,
    totals.plays_judged,
    totals.first_played_at,
    totals.last_played_at
from totals
inner join {{ ref('dim_tracks') }} as tracks
    on totals.account = tracks.account and totals.track_uri = tracks.track_uri
{{ 'order by totals.account' if not is_incremental() }}
