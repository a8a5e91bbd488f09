{{ config(tags=['daily']) }}

-- What came in equals what is counted plus what a named rule took off: rows by the joining of steps, milliseconds by
-- the estimate of what was heard (made here once more, from staging). And the totals that reports read are those of the
-- plays.
with

ends as (

    select
        account,
        duration_ms,
        played_at - lag(played_at) over (partition by account order by played_at, track_uri) as gap
    from {{ ref('stg_spotify__plays') }}
    where load_id <= {{ loaded_through() }}

),

heard as (

    select
        account,
        sum(least(duration_ms, coalesce((extract(epoch from gap) * 1000)::bigint, duration_ms))) as ms_heard
    from ends
    group by account

),

staged as (

    select
        account,
        count(*) as steps,
        sum(duration_ms) as ms_returned
    from {{ ref('stg_spotify__plays') }}
    where load_id <= {{ loaded_through() }}
    group by account

),

counted as (

    select
        account,
        count(*) as plays,
        sum(steps) as steps,
        sum(ms_returned) as ms_returned,
        sum(ms_played) as ms_played
    from {{ ref('fct_plays') }}
    group by account

),

totals as (

    select
        account,
        sum(plays) as plays,
        sum(ms_played) as ms_played
    from {{ ref('int_track_totals') }}
    group by account

)

select
    coalesce(staged.account, counted.account, totals.account) as account,
    staged.steps as steps_staged,
    counted.steps as steps_counted,
    staged.ms_returned as ms_staged,
    counted.ms_returned as ms_counted,
    counted.plays as plays_counted,
    totals.plays as plays_in_totals,
    heard.ms_heard,
    counted.ms_played as ms_played_counted,
    totals.ms_played as ms_played_in_totals
from staged
full join counted on staged.account = counted.account
full join totals on counted.account = totals.account
full join heard on staged.account = heard.account
where
    staged.steps is distinct from counted.steps
    or staged.ms_returned is distinct from counted.ms_returned
    or heard.ms_heard is distinct from counted.ms_played
    or counted.plays is distinct from totals.plays
    or counted.ms_played is distinct from totals.ms_played
