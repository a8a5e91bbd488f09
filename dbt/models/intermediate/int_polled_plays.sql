{{
    config(
        pre_hook="{{ delete_days_to_rebuild() }}",
        post_hook=["{{ index_once('day', ['played_date_utc', 'account']) }}", "{{ analyze_when_new() }}"]
    )
}}

-- depends_on: {{ ref('int_days_to_rebuild') }}

/*
One row per play that the Web API knows of. It sometimes returns one play as several steps: the same track again 1.7 s
later, or a 205 s track as 32 s and 173 s. The rule:

  1. Rows of one recording with the same played_at are one step (macro told_steps).
  2. A step is heard from the end of the step before it, and never for longer than the track lasts. Different tracks
     that end at one moment share the time before it in proportion to their lengths (macro heard_ms).
  3. Steps of one track that follow one another directly, without a pause, are one play for as long as together they are
     heard no longer than the track lasts (and a tenth more, at most 5 s: Spotify's clock is not exact).

A loop plays one track length per step and so stays as many plays as it was. Every row is in exactly one play; `steps`
counts rows.
*/
with recursive

{% if is_incremental() %}

    rebuilt_days as (

        select * from {{ ref('int_days_to_rebuild') }}

    ),

    read_days as (

        select distinct
            rebuilt_days.account,
            (rebuilt_days.day_utc + neighbour.days)::date as day_utc
        from rebuilt_days
        cross join (values (-1), (0), (1)) as neighbour (days)

    ),

{% endif %}

polled_rows as (

    select plays.*
    from {{ ref('stg_spotify__plays') }} as plays
    {% if is_incremental() %}
        inner join read_days
            on plays.account = read_days.account and plays.played_date_utc = read_days.day_utc
    {% endif %}

),

{{ told_steps('polled_rows') }},

steps as (

    select
        account,
        played_at,
        play_uri as track_uri,
        max(duration_ms) as duration_ms,
        max(isrc) as isrc,
        min(captured_at) as captured_at,
        count(*) as rows_of_step,
        sum(duration_ms) as ms_returned
    from told_steps
    group by account, played_at, play_uri

),

timed as (

    select
        *,
        least(5000, duration_ms / 10) as tolerance_ms,
        row_number() over in_order as step_number,
        (extract(epoch from played_at - lag(played_at) over in_order) * 1000)::bigint as gap_before_ms
    from steps
    window in_order as (partition by account order by played_at, track_uri)

),

-- The first step of a moment has the time since the moment before.
moments as (

    select
        *,
        first_value(gap_before_ms) over (partition by account, played_at order by step_number) as gap_ms,
        count(*) over (partition by account, played_at) as steps_of_moment,
        sum(duration_ms) over (partition by account, played_at) as durations_of_moment
    from timed

),

heard as (

    select
        *,
        {{ heard_ms('duration_ms', 'durations_of_moment', 'steps_of_moment', 'gap_ms') }} as heard_ms
    from moments

),

linked as (

    select
        *,
        coalesce(
            track_uri = lag(track_uri) over in_order
            and gap_ms <= duration_ms + tolerance_ms
            and lag(heard_ms) over in_order + heard_ms <= duration_ms + tolerance_ms,
            false
        ) as may_continue
    from heard
    window in_order as (partition by account order by step_number)

),

chain_starts as (

    select
        *,
        lead(may_continue) over (partition by account order by step_number) as is_continued
    from linked

),

-- Only steps in a chain come here, so the recursion is as short as the longest chain of one track.
chains as (

    select
        account,
        step_number,
        step_number as first_step_number,
        heard_ms as play_ms
    from chain_starts
    where is_continued and not may_continue

    union all

    select
        linked.account,
        linked.step_number,
        case
            when chains.play_ms + linked.heard_ms <= linked.duration_ms + linked.tolerance_ms
                then chains.first_step_number
            else linked.step_number
        end as first_step_number,
        case
            when chains.play_ms + linked.heard_ms <= linked.duration_ms + linked.tolerance_ms
                then chains.play_ms + linked.heard_ms
            else linked.heard_ms
        end as play_ms
    from chains
    inner join linked
        on
            chains.account = linked.account
            and linked.step_number = chains.step_number + 1
            and linked.may_continue

),

plays as (

    select
        linked.account,
        linked.track_uri,
        max(linked.played_at) as played_at,
        min(linked.played_at) as first_step_at,
        min(linked.played_at - linked.heard_ms * interval '1 millisecond') as started_at,
        sum(linked.rows_of_step)::integer as steps,
        sum(linked.heard_ms)::bigint as ms_played,
        sum(linked.ms_returned)::bigint as ms_returned,
        max(linked.duration_ms) as duration_ms,
        max(linked.isrc) as isrc,
        min(linked.captured_at) as captured_at
    from linked
    left join chains
        on linked.account = chains.account and linked.step_number = chains.step_number
    group by
        linked.account,
        linked.track_uri,
        coalesce(chains.first_step_number, linked.step_number)

),

dated as (

    select
        *,
        (played_at at time zone 'UTC')::date as played_date_utc
    from plays

)

select
    dated.account,
    dated.played_at,
    dated.played_date_utc,
    dated.started_at,
    dated.first_step_at,
    dated.steps,
    dated.track_uri,
    dated.isrc,
    dated.ms_played,
    dated.ms_returned,
    dated.duration_ms,
    dated.captured_at
from dated
{% if is_incremental() %}
    inner join rebuilt_days
        on dated.account = rebuilt_days.account and dated.played_date_utc = rebuilt_days.day_utc
{% endif %}
