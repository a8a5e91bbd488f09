-- The days on which a round number was reached: the 1st, 10th, 50th, 100th, 500th … play, and 1,000, 5,000, 10,000 …
-- minutes.
with

days as (

    select
        account,
        played_date,
        plays,
        (sum(plays) over account_days)::bigint as plays_so_far,
        (sum(ms_played) over account_days)::bigint as ms_so_far
    from {{ ref('fct_listening_days') }}
    where plays > 0
    window account_days as (partition by account order by played_date)

),

numbers as (

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

listeners as (

    select distinct account from days

),

reached as (

    select
        listeners.account,
        numbers.kind,
        numbers.number,
        first_day.played_date as reached_date,
        first_day.number_of_day
    from listeners
    cross join numbers
    cross join lateral (
        select
            days.played_date,
            (numbers.number - (days.plays_so_far - days.plays))::bigint as number_of_day
        from days
        where
            days.account = listeners.account
            and case numbers.kind
                when 'plays' then days.plays_so_far >= numbers.number
                else days.ms_so_far >= numbers.number * 60000
            end
        order by days.played_date
        limit 1
    ) as first_day

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
left join {{ ref('dim_tracks') }} as tracks
    on reached.account = tracks.account and played.track_uri = tracks.track_uri
inner join {{ ref('dim_accounts') }} as accounts on reached.account = accounts.account
