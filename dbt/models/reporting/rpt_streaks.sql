-- Runs of consecutive days with a play; a day without one ends a streak. Today may still bring one, so a streak that
-- lasted until yesterday is current.
with

listened as (

    select
        account,
        played_date,
        played_date - (row_number() over (partition by account order by played_date))::integer as run
    from {{ ref('fct_listening_days') }}
    where plays > 0

),

streaks as (

    select
        account,
        min(played_date) as streak_start,
        max(played_date) as streak_end,
        count(*) as days
    from listened
    group by account, run

)

select
    streaks.account,
    streaks.streak_start,
    streaks.streak_end,
    streaks.days,
    streaks.streak_end >= accounts.today - 1 as is_current,
    row_number() over (
        partition by streaks.account
        order by streaks.days desc, streaks.streak_end desc
    ) = 1 as is_longest
from streaks
inner join {{ ref('dim_accounts') }} as accounts on streaks.account = accounts.account
