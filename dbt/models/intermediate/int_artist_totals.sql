{{
    config(
        materialized='view',
        post_hook=[
            "{{ function_whole_years() }}",
            "{{ function_plays_beside_years() }}",
            "{{ function_parts_by_track() }}",
            "{{ function_plays_by_artist() }}",
        ]
    )
}}

-- depends_on: {{ ref('fct_listening_days') }}
-- depends_on: {{ ref('fct_plays') }}
-- depends_on: {{ ref('int_excluded_plays') }}
-- depends_on: {{ ref('fct_track_years') }}
-- depends_on: {{ ref('int_track_credits') }}

-- What was heard of each credited artist over the whole history.
select
    account,
    artist_key,
    sum(plays)::bigint as plays,
    sum(ms_played)::bigint as ms_played,
    sum(ms_estimated)::bigint as ms_estimated,
    sum(plays_shared) as plays_shared,
    sum(ms_shared) as ms_shared,
    min(first_played_at) as first_played_at,
    max(last_played_at) as last_played_at
from {{ ref('fct_artist_years') }}
group by account, artist_key
