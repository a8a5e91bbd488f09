{{
    config(
        unique_key=['account', 'recording_key'],
        incremental_strategy='delete+insert',
        pre_hook=["{{ memory_to_group() }}", "{{ delete_empty_totals('recording_key') }}"],
        post_hook=[
            "{{ index_once('key', ['account', 'recording_key'], unique=true) }}",
            "{{ index_once('rank', ['account', 'plays desc', 'ms_played desc']) }}",
            "{{ index_once('first_played', ['account', 'first_played_at']) }}",
            "{{ index_once('tracks', ['track_uris'], method='gin') }}",
            "{{ analyze_when_new() }}",
        ]
    )
}}

-- depends_on: {{ ref('int_days_to_rebuild') }}
-- depends_on: {{ ref('stg_spotify__plays') }}
-- depends_on: {{ ref('int_excluded_tracks') }}
-- depends_on: {{ ref('fct_plays') }}

-- What was heard of each recording, its releases together; it is shown as the release that was played most. Counted
-- anew are those to which a track with news belongs, and those to which it belonged.
with

{% if is_incremental() %}

    recordings as (

        {{ totals_of_touched_tracks('recording_key') }}

    ),

{% endif %}

tracks as (

    select totals.*
    from {{ ref('int_track_totals') }} as totals
    {% if is_incremental() %}
        inner join recordings
            on totals.account = recordings.account and totals.recording_key = recordings.recording_key
    {% endif %}

),

summed as (

    select
        account,
        recording_key,
        count(*) as versions,
        sum(plays)::bigint as plays,
        sum(ms_played)::bigint as ms_played,
        sum(ms_estimated)::bigint as ms_estimated,
        sum(skips)::bigint as skips,
        sum(plays_judged)::bigint as plays_judged,
        min(first_played_at) as first_played_at,
        max(last_played_at) as last_played_at,
        jsonb_agg(track_uri order by plays desc, last_played_at desc, track_uri asc) as track_uris
    from tracks
    group by account, recording_key

)

select
    summed.account,
    summed.recording_key,
    summed.versions,
    summed.plays,
    summed.ms_played,
    summed.ms_estimated,
    summed.skips,
    summed.plays_judged,
    summed.first_played_at,
    summed.last_played_at,
    summed.track_uris ->> 0 as track_uri,
    dim.track_name,
    dim.artists,
    dim.track_url,
    summed.track_uris
from summed
inner join {{ ref('dim_tracks') }} as dim
    on summed.account = dim.account and summed.track_uris ->> 0 = dim.track_uri
{{ 'order by summed.account' if not is_incremental() }}
