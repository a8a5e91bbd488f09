{{ config(severity='warn') }}

-- depends_on: {{ ref('int_days_to_rebuild') }}
-- A play ends before it is fetched; an hour is left for clocks that differ.
{% set is_slot = env_var('DBT_TEST_SCOPE', 'full') == 'news' %}

select
    plays.account,
    plays.played_at,
    plays.track_uri,
    plays.captured_at
from {{ ref('fct_plays') }} as plays
{% if is_slot %}
    inner join {{ ref('int_days_to_rebuild') }} as rebuilt
        on plays.account = rebuilt.account and plays.played_date_utc = rebuilt.day_utc
{% endif %}
where plays.played_at > plays.captured_at + interval '1 hour'
