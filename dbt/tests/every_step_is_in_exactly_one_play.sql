-- Plays in = plays out: each row of staging lies in exactly one play. Per slot for the rows the slot brought; daily for
-- all, and then totals_reconcile adds that no play claims a row that is not there.
{% set is_slot = env_var('DBT_TEST_SCOPE', 'full') == 'news' %}

with

steps as (

    select * from {{ ref('stg_spotify__plays') }}
    where load_id <= {{ loaded_through() }} {{ 'and ' ~ is_news() if is_slot }}

),

-- A play lies on the date of its last step: that of the step, or the day after. The two are named, for an equality is
-- looked up where a range would compare every two plays of a track.
possible_dates as (

    select
        steps.*,
        steps.played_date_utc + later.days as play_date_utc
    from steps
    cross join (values (0), (1)) as later (days)

)

select
    possible_dates.account,
    possible_dates.played_at,
    possible_dates.track_uri,
    count(plays.play_id) as plays
from possible_dates
left join {{ ref('fct_plays') }} as plays
    on
        possible_dates.account = plays.account
        and possible_dates.track_uri = plays.track_uri
        and possible_dates.play_date_utc = plays.played_date_utc
        and possible_dates.played_at between plays.first_step_at and plays.played_at
group by possible_dates.account, possible_dates.played_at, possible_dates.track_uri
having count(plays.play_id) != 1
