-- Plays in = plays out: each row of staging lies in one play, no play claims a row that is not there, and a play's
-- milliseconds are those of its rows. Per slot for the rows the slot brought; daily for all.
{% set is_slot = env_var('DBT_TEST_SCOPE', 'full') == 'news' %}

with

steps as (

    select * from {{ ref('stg_spotify__plays') }}
    where load_id <= {{ loaded_through() }} {{ 'and ' ~ is_news() if is_slot }}

)

select
    steps.account,
    steps.played_at,
    steps.track_uri,
    count(plays.play_id) as plays
from steps
left join {{ ref('fct_plays') }} as plays
    on
        steps.account = plays.account
        and steps.track_uri = plays.track_uri
        and steps.played_at between plays.first_step_at and plays.played_at
        and plays.played_date_utc between steps.played_date_utc and steps.played_date_utc + 1
group by steps.account, steps.played_at, steps.track_uri
having count(plays.play_id) != 1
