-- Plays in = plays out: each row of staging lies in exactly one polled play, and that counts once: as a play of its
-- own, or as the export play it is paired with. Rows of one recording and moment lie in one play (macro told_steps).
-- Rows with impossible timestamps lie in none: totals_reconcile counts them. Per slot for the rows the slot brought;
-- daily for all, and then totals_reconcile adds that no play claims a row that is not there.
{% set is_slot = env_var('DBT_TEST_SCOPE', 'full') == 'news' %}
{# The rows of a slot are few, whatever PostgreSQL takes their number for: each is looked up. #}
{% set look_up = 'offset 0' if is_slot else '' %}

with

{% if is_slot %}

    news_moments as (

        select distinct
            account,
            played_date_utc,
            played_at
        from {{ ref('stg_spotify__plays') }}
        where load_id <= {{ loaded_through() }} and {{ is_news() }}

    ),

{% endif %}

-- In a slot also the older rows of the same moments.
polled_rows as (

    select plays.*
    {% if is_slot %}
        from news_moments
        cross join lateral (
            select those.*
            from {{ ref('stg_spotify__plays') }} as those
            where
                those.account = news_moments.account
                and those.played_date_utc = news_moments.played_date_utc
                and those.played_at = news_moments.played_at
            {{ look_up }}
        ) as plays
    {% else %}
        from {{ ref('stg_spotify__plays') }} as plays
    {% endif %}
    where plays.load_id <= {{ loaded_through() }}

),

{{ told_steps('polled_rows') }},


-- A play lies on the date of its last step: that of the step, or the day after. The two are named, for an equality is
-- looked up where a range would compare every two plays of a track.
possible_dates as (

    select
        steps.account,
        steps.played_at,
        steps.track_uri,
        steps.play_uri,
        (steps.played_at at time zone 'UTC')::date + later.days as play_date_utc
    from told_steps as steps
    cross join (values (0), (1)) as later (days)

),

matches as not materialized (

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
        possible_dates.play_uri,
        polled.played_at as play_ended_at,
        polled.played_date_utc,
        count(matches.account) as pairs
    from possible_dates
    left join lateral (
        select
            joined.account,
            joined.track_uri,
            joined.played_at,
            joined.played_date_utc
        from {{ ref('int_polled_plays') }} as joined
        where
            joined.account = possible_dates.account
            and joined.track_uri = possible_dates.play_uri
            and joined.played_date_utc = possible_dates.play_date_utc
            and possible_dates.played_at between joined.first_step_at and joined.played_at
        {{ look_up }}
    ) as polled on true
    left join lateral (
        select pairs.account
        from matches as pairs
        where
            pairs.account = polled.account
            and pairs.polled_date_utc = polled.played_date_utc
            and pairs.polled_at = polled.played_at
            and pairs.polled_track_uri = polled.track_uri
        {{ look_up }}
    ) as matches on true
    group by
        possible_dates.account,
        possible_dates.played_at,
        possible_dates.track_uri,
        possible_dates.play_uri,
        polled.played_at,
        polled.played_date_utc

)

select
    counted.account,
    counted.played_at,
    counted.track_uri,
    sum(counted.pairs) + count(plays.play_id) as plays
from counted
left join lateral (
    select fct.play_id
    from {{ ref('fct_plays') }} as fct
    where
        fct.account = counted.account
        and fct.track_uri = counted.play_uri
        and fct.played_date_utc = counted.played_date_utc
        and fct.played_at = counted.play_ended_at
        and fct.source = 'web_api'
    {{ look_up }}
) as plays on true
group by counted.account, counted.played_at, counted.track_uri
having sum(counted.pairs) + count(plays.play_id) != 1
