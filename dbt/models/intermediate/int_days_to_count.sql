{{
    config(
        pre_hook="{% if is_incremental() %} delete from {{ this }} {% endif %}",
        post_hook="analyze {{ this }}"
    )
}}

-- depends_on: {{ ref('int_excluded_tracks') }}
-- depends_on: {{ ref('fct_plays') }}

-- The local dates whose plays are counted anew: those that the rebuilt UTC days lie on, and those of plays of tracks
-- which rules exclude now, or do no more.
with

rebuilt as (

    select
        rebuilt.account,
        {{ local_time("((rebuilt.day_utc + edge.hours) at time zone 'UTC')", 'rebuilt.account') }}::date as played_date
    from {{ ref('int_days_to_rebuild') }} as rebuilt
    cross join (values (interval '0'), (interval '23:59:59.999999')) as edge (hours)

)

select distinct
    account,
    played_date
from rebuilt
{% if is_incremental() %}
    union
    select
        plays.account,
        plays.played_date
    from {{ ref('int_excluded_tracks') }} as excluded
    inner join {{ ref('fct_plays') }} as plays on {{ same_track('plays', 'excluded') }}
    where excluded.{{ is_news('changed_in_load') }}
{% endif %}
