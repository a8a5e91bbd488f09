-- depends_on: {{ ref('int_days_to_rebuild') }}
-- Of plays whose time is an estimate: what was heard lies between nothing and one track length with its tolerance, and
-- never above what Spotify returned.
{% set is_slot = env_var('DBT_TEST_SCOPE', 'full') == 'news' %}

select
    plays.account,
    plays.played_at,
    plays.track_uri,
    plays.ms_played,
    plays.duration_ms
from {{ ref('fct_plays') }} as plays
{% if is_slot %}
    inner join {{ ref('int_days_to_rebuild') }} as rebuilt
        on plays.account = rebuilt.account and plays.played_date_utc = rebuilt.day_utc
{% endif %}
where
    plays.is_estimated
    and (
        plays.ms_played < 0
        or plays.ms_played > plays.ms_returned
        or plays.ms_played > plays.duration_ms + least(5000, plays.duration_ms / 10)
    )
