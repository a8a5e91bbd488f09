-- depends_on: {{ ref('int_days_to_rebuild') }}
-- A polled play is in one pair at most, and so is an export play; and the export play of a pair counts, once, and says
-- when it was polled.
{% set is_slot = env_var('DBT_TEST_SCOPE', 'full') == 'news' %}

with

pairs as (

    select
        matches.account,
        matches.polled_at,
        matches.polled_track_uri,
        matches.export_date_utc,
        matches.export_played_at,
        matches.export_reported_at,
        matches.export_row_id
    from {{ ref('int_play_matches') }} as matches
    {% if is_slot %}
        inner join {{ ref('int_days_to_rebuild') }} as rebuilt
            on matches.account = rebuilt.account and matches.polled_date_utc = rebuilt.day_utc
    {% endif %}
    union all
    select
        account,
        polled_at,
        polled_track_uri,
        export_date_utc,
        export_reported_at as export_played_at,
        export_reported_at,
        export_row_id
    from {{ ref('int_offline_matches') }}

),

matched_plays as (

    select
        pairs.account,
        pairs.polled_at,
        pairs.polled_track_uri,
        count(*) over (partition by pairs.account, pairs.polled_at, pairs.polled_track_uri) as pairs_of_polled,
        count(*) over (partition by pairs.account, pairs.export_reported_at, pairs.export_row_id) as pairs_of_export,
        (
            select count(*)
            from {{ ref('fct_plays') }} as plays
            where
                plays.account = pairs.account
                and plays.played_date_utc = pairs.export_date_utc
                and plays.played_at = pairs.export_played_at
                and plays.polled_at = pairs.polled_at
                and plays.source = 'export'
        ) as plays
    from pairs

)

select * from matched_plays
where pairs_of_polled != 1 or pairs_of_export != 1 or plays < 1
