-- The days on which a round number was reached: the 1st, 10th, 50th, 100th, 500th … play, and 1,000, 5,000, 10,000 …
-- minutes.
with

days as (

    select
        account,
        played_date,
        plays,
        ms_played,
        (sum(plays) over account_days)::bigint as plays_so_far,
        (sum(ms_played) over account_days)::bigint as ms_so_far
    from {{ ref('fct_listening_days') }}
    where plays > 0
    window account_days as (partition by account order by played_date)

),

numbers as materialized (

    select
        kinds.kind,
        (digits.digit * power(10::numeric, zeros.zeros))::bigint as number
    from (values ('plays', 0), ('minutes', 3)) as kinds (kind, least_zeros)
    cross join generate_series(0, 9) as zeros (zeros)
    cross join (values (1), (5)) as digits (digit)
    where
        zeros.zeros >= kinds.least_zeros
        and (kinds.kind = 'minutes' or zeros.zeros > 0 or digits.digit = 1)

),

-- Exactly one day of an account reaches each number.
reached as (

    select
        days.account,
        numbers.kind,
        numbers.number,
        days.played_date as reached_date,
        numbers.number - (days.plays_so_far - days.plays) as number_of_day
    from days
    inner join numbers
        on
            (
                numbers.kind = 'plays'
                and days.plays_so_far >= numbers.number
                and days.plays_so_far - days.plays < numbers.number
            )
            or (
                numbers.kind = 'minutes'
                and days.ms_so_far >= numbers.number * 60000
                and days.ms_so_far - days.ms_played < numbers.number * 60000
            )

)

select
    reached.account,
    reached.kind,
    reached.number,
    reached.reached_date,
    played.played_at,
    tracks.track_name,
    tracks.artists,
    accounts.has_open_gap as is_at_least
from reached
left join lateral (
    select
        plays.played_at,
        plays.track_uri
    from {{ ref('int_counted_plays') }} as plays
    where
        reached.kind = 'plays'
        and plays.account = reached.account
        and plays.played_date = reached.reached_date
    order by plays.played_at, plays.play_id
    limit 1 offset reached.number_of_day - 1
) as played on true
left join lateral (
    select
        dim.track_name,
        dim.artists
    from {{ ref('dim_tracks') }} as dim
    where dim.account = reached.account and dim.track_uri = played.track_uri
    offset 0  -- noqa: AM09
) as tracks on true
inner join {{ ref('dim_accounts') }} as accounts on reached.account = accounts.account
