-- Plays in = plays out: each row of staging lies in exactly one polled play, and that counts once: as a play of its
-- own, or as the export play it is paired with. Per slot for the rows the slot brought; daily for all, and then
-- totals_reconcile adds that no play claims a row that is not there.
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

),

matches as (

    {% for pairs in ('int_play_matches', 'int_offline_matches') %}
        select
            account,
            polled_date_utc,
            polled_at,
            polled_track_uri
        from {{ ref(pairs) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        possible_dates.account,
        possible_dates.played_at,
        possible_dates.track_uri,
        polled.played_at as play_ended_at,
        polled.played_date_utc,
        count(matches.account) as pairs
    from possible_dates
    left join {{ ref('int_polled_plays') }} as polled
        on
            possible_dates.account = polled.account
            and possible_dates.track_uri = polled.track_uri
            and possible_dates.play_date_utc = polled.played_date_utc
            and possible_dates.played_at between polled.first_step_at and polled.played_at
    left join matches
        on
            polled.account = matches.account
            and polled.played_date_utc = matches.polled_date_utc
            and polled.played_at = matches.polled_at
            and polled.track_uri = matches.polled_track_uri
    group by
        possible_dates.account,
        possible_dates.played_at,
        possible_dates.track_uri,
        polled.played_at,
        polled.played_date_utc

)

select
    counted.account,
    counted.played_at,
    counted.track_uri,
    sum(counted.pairs) + count(plays.play_id) as plays
from counted
left join {{ ref('fct_plays') }} as plays
    on
        counted.account = plays.account
        and counted.track_uri = plays.track_uri
        and counted.played_date_utc = plays.played_date_utc
        and counted.play_ended_at = plays.played_at
        and plays.source = 'web_api'
group by counted.account, counted.played_at, counted.track_uri
having sum(counted.pairs) + count(plays.play_id) != 1
