{{ config(tags=['daily']) }}

/*
What came in equals what is counted plus what a named rule took off:

  the Web API   rows by impossible timestamps and the joining of steps, milliseconds by the estimate of what was heard
                (made here once more, from staging); then plays and milliseconds by the pairs
  the export    rows and milliseconds by impossible timestamps and near-duplicates
*/
with

polled_rows as (

    select * from {{ ref('stg_spotify__plays') }}
    where load_id <= {{ loaded_through() }}

),

{{ told_steps('polled_rows') }},

steps as (

    select
        account,
        played_at,
        max(duration_ms) as duration_ms
    from told_steps
    group by account, played_at, play_uri

),

moments as (

    select
        account,
        array_agg(duration_ms) as durations,
        sum(duration_ms) as durations_of_moment,
        (extract(epoch from played_at - lag(played_at) over (partition by account order by played_at)) * 1000)::bigint
            as gap_ms
    from steps
    group by account, played_at

),

heard as (

    select
        moments.account,
        sum(
            {{ heard_ms(
                'step.duration_ms', 'moments.durations_of_moment', 'cardinality(moments.durations)', 'moments.gap_ms'
            ) }}
        ) as ms_heard
    from moments
    cross join unnest(moments.durations) as step (duration_ms)
    group by moments.account

),

-- From the source itself, which has the rows with impossible timestamps too.
polled as (

    select
        account,
        count(*) as steps,
        sum(song_duration_ms) as ms_returned,
        count(*) filter (where not {{ is_possible_poll() }}) as impossible,
        coalesce(sum(song_duration_ms) filter (where not {{ is_possible_poll() }}), 0) as ms_impossible
    from {{ source('spotify', 'spotify_songs') }}
    where load_id <= {{ loaded_through() }}
    group by account

),

joined as (

    select
        account,
        count(*) as polled_plays,
        sum(steps) as steps,
        sum(ms_returned) as ms_returned,
        sum(ms_played) as ms_heard
    from {{ ref('int_polled_plays') }}
    group by account

),

paired as (

    select
        every_pair.account,
        count(*) as pairs,
        sum(plays.ms_played) as ms_matched
    from (
        {% for pairs in ('int_play_matches', 'int_offline_matches') %}
            select
                account,
                polled_date_utc,
                polled_at,
                polled_track_uri
            from {{ ref(pairs) }}
            {{ 'union all' if not loop.last }}
        {% endfor %}
    ) as every_pair
    left join {{ ref('int_polled_plays') }} as plays
        on
            every_pair.account = plays.account
            and every_pair.polled_date_utc = plays.played_date_utc
            and every_pair.polled_at = plays.played_at
            and every_pair.polled_track_uri = plays.track_uri
    group by every_pair.account

),

-- From staging itself: the view would date every row once more.
exported as (

    select
        account,
        count(*) as export_rows,
        sum(ms_played) as ms_exported,
        count(*) filter (where not {{ is_possible_export() }}) as impossible,
        coalesce(sum(ms_played) filter (where not {{ is_possible_export() }}), 0) as ms_impossible
    from {{ source('spotify', 'spotify_history') }}
    where load_id <= {{ loaded_through() }}
    group by account

),

repeated as (

    select
        account,
        count(*) as near_duplicates,
        sum(ms_played) as ms_repeated
    from {{ ref('int_history_plays') }}
    where is_near_duplicate
    group by account

),

counted as (

    select
        account,
        count(*) filter (where source = 'web_api') as polled_only,
        count(*) filter (where source = 'export') as export_plays,
        count(polled_at) as plays_matched,
        coalesce(sum(ms_played) filter (where source = 'web_api'), 0) as ms_polled_only,
        coalesce(sum(ms_played) filter (where source = 'export'), 0) as ms_exported
    from {{ ref('fct_plays') }}
    group by account

),

accounts as (

    select account from polled
    union
    select account from exported
    union
    select account from joined
    union
    select account from counted

),

compared as (

    select
        accounts.account,
        coalesce(polled.steps, 0) as steps_staged,
        coalesce(polled.impossible, 0) as steps_impossible,
        coalesce(joined.steps, 0) as steps_joined,
        coalesce(polled.ms_returned, 0) as ms_returned_staged,
        coalesce(polled.ms_impossible, 0) as ms_returned_impossible,
        coalesce(joined.ms_returned, 0) as ms_returned_joined,
        coalesce(heard.ms_heard, 0) as ms_heard_staged,
        coalesce(joined.ms_heard, 0) as ms_heard_joined,
        coalesce(joined.polled_plays, 0) as polled_plays,
        coalesce(paired.pairs, 0) as pairs,
        coalesce(counted.plays_matched, 0) as plays_matched,
        coalesce(counted.polled_only, 0) as plays_polled_only,
        coalesce(paired.ms_matched, 0) as ms_matched,
        coalesce(counted.ms_polled_only, 0) as ms_polled_only,
        coalesce(exported.export_rows, 0) as rows_exported,
        coalesce(exported.impossible, 0) as rows_impossible,
        coalesce(repeated.near_duplicates, 0) as near_duplicates,
        coalesce(counted.export_plays, 0) as plays_exported,
        coalesce(exported.ms_exported, 0) as ms_exported,
        coalesce(exported.ms_impossible, 0) as ms_impossible,
        coalesce(repeated.ms_repeated, 0) as ms_repeated,
        coalesce(counted.ms_exported, 0) as ms_exported_counted
    from accounts
    left join polled on accounts.account = polled.account
    left join heard on accounts.account = heard.account
    left join joined on accounts.account = joined.account
    left join paired on accounts.account = paired.account
    left join exported on accounts.account = exported.account
    left join repeated on accounts.account = repeated.account
    left join counted on accounts.account = counted.account

)

select * from compared
where
    steps_staged != steps_joined + steps_impossible
    or ms_returned_staged != ms_returned_joined + ms_returned_impossible
    or ms_heard_staged != ms_heard_joined
    or polled_plays != plays_matched + plays_polled_only
    or plays_matched != pairs
    or ms_heard_joined != ms_matched + ms_polled_only
    or rows_exported != plays_exported + near_duplicates + rows_impossible
    or ms_exported != ms_exported_counted + ms_repeated + ms_impossible
