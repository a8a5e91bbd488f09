{{ config(pre_hook=["{{ memory_to_group() }}", "{{ delete_touched_tracks() }}"]) }}

-- depends_on: {{ ref('int_days_to_rebuild') }}
-- depends_on: {{ ref('int_polled_plays') }}

with

-- Read twice below, and PostgreSQL would write such a CTE, the whole history, to disk first.
plays as not materialized (

    select * from {{ ref('fct_plays') }}
    where content_type = 'track'

),

{% if is_incremental() %}

    touched_tracks as (

        {{ touched_tracks() }}

    ),

    counted_plays as (

        select plays.*
        from plays
        inner join touched_tracks on {{ same_track('plays', 'touched_tracks') }}

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
    sum(ms_played)::numeric(38, 0) as ms_played,
    coalesce(sum(ms_played) filter (where is_estimated), 0)::numeric(38, 0) as ms_estimated,
    min(played_at) as first_played_at,
    max(played_at) as last_played_at
from counted_plays
group by account, track_uri
