{{
    config(
        pre_hook=["{{ memory_to_group() }}", "{{ delete_sessions_to_count() }}"],
        post_hook=[
            "{{ index_once('key', ['account', 'first_played_at'], unique=true) }}",
            "{{ index_once('end', ['account', 'ended_at']) }}",
            "{{ index_once('date', ['account', 'started_date']) }}",
            "{{ index_once('duration', ['account', 'duration_ms desc', 'ms_played desc']) }}",
        ]
    )
}}

-- depends_on: {{ ref('int_sessions_to_count') }}

-- Plays with less than half an hour between them, across midnight too: a play begins a session when it started more
-- than 30 minutes after the play before it ended.
with

plays as (

    select those.*
    {% if is_incremental() %}
        from {{ ref('int_sessions_to_count') }} as stretches
        cross join lateral (
            select counted.*
            from {{ ref('int_counted_plays') }} as counted
            where
                counted.account = stretches.account
                and counted.played_date_utc
                between (stretches.from_at at time zone 'UTC')::date and (stretches.to_at at time zone 'UTC')::date
                and counted.played_at between stretches.from_at and stretches.to_at
            offset 0  -- noqa: AM09
        ) as those
    {% else %}
        from {{ ref('int_counted_plays') }} as those
    {% endif %}

),

follow as (

    select
        *,
        started_at - lag(played_at) over (partition by account order by played_at, play_id) as pause
    from plays

),

numbered as (

    select
        *,
        count(*) filter (where pause is null or pause > interval '30 minutes') over (
            partition by account
            order by played_at, play_id
        ) as session_number
    from follow

),

sessions as (

    select
        account,
        min(played_at) as first_played_at,
        min(started_at) as started_at,
        max(played_at) as ended_at,
        count(*) as plays,
        count(distinct track_uri) as tracks,
        sum(ms_played)::bigint as ms_played,
        coalesce(sum(ms_played) filter (where is_estimated), 0)::bigint as ms_estimated,
        count(*) filter (where is_skipped) as skips
    from numbered
    group by account, session_number

)

select
    account,
    first_played_at,
    started_at,
    ended_at,
    {{ local_time('started_at') }} as started_at_local,
    {{ local_time('ended_at') }} as ended_at_local,
    {{ local_time('started_at') }}::date as started_date,
    (extract(epoch from ended_at - started_at) * 1000)::bigint as duration_ms,
    plays,
    tracks,
    ms_played,
    ms_estimated,
    skips
from sessions
