{{
    config(
        pre_hook="{% if is_incremental() %} delete from {{ this }} as built where not built.{{ is_news('found_in_load') }} {% endif %}",
        post_hook="analyze {{ this }}"
    )
}}

-- depends_on: {{ ref('int_track_isrcs') }}

/*
A late play changes its own day; at midnight it can also change how its neighbours are heard and to which day a play
in two steps belongs. So the day before and the day after are rebuilt with it. News are:

  polled plays     their day
  exported plays   the day on which they ended; the day under which staging keeps them; and, for a row that was
                   corrected, the day on which it was taken to have ended before
  new ISRCs        of a track that was exported: the days on which an export row of it may now be the same play as a
                   polled one of another release of the recording, and the days of its undated offline rows

A day stays in this table until a `dbt test` has passed after it was found. int_offline_matches adds the days whose
pairs it has changed: if the run ends before fct_plays is built, the next run must still know them.
*/
{% if is_incremental() %}
    -- What the last run made of them. The models that follow build on this one, so that it cannot refer to them.
    {% set history = adapter.get_relation(target.database, 'intermediate', 'int_history_plays') %}
    {% set fct_plays = adapter.get_relation(target.database, 'marts', 'fct_plays') %}
{% endif %}

with

days_with_news as (

    select
        account,
        played_date_utc
    from {{ ref('stg_spotify__plays') }}
    {% if is_incremental() %}
        where {{ is_news() }}
    {% endif %}

    union

    select
        account,
        reported_date_utc as played_date_utc
    from {{ ref('stg_spotify__history') }}
    {% if is_incremental() %}
        where {{ is_news() }}
    {% endif %}

    union

    select
        account,
        played_date_utc
    from {{ ref('stg_spotify__history') }}
    where
        is_dated_by_device
    {% if is_incremental() %}
        and {{ is_news() }}
    {% endif %}

    {% if is_incremental() %}

        {% if history %}

            union

            -- `offset 0` has each row looked up in the index, however many PostgreSQL takes the news for.
            select
                built.account,
                built.played_date_utc
            from {{ ref('stg_spotify__history') }} as news
            cross join lateral (
                select
                    dated.account,
                    dated.played_date_utc
                from {{ history }} as dated
                where
                    dated.account = news.account
                    and dated.reported_at = news.reported_at
                    and dated.row_id = news.row_id
                    and dated.is_dated_by_device
                offset 0  -- noqa: AM09
            ) as built
            where news.{{ is_news() }}

        {% endif %}

        {% if fct_plays %}

            union

            -- Nearly always there is no other release, and nothing else is looked at: so each is looked up by itself.
            select
                exported.account,
                exported.played_date_utc
            from (
                select
                    news.account,
                    news.track_uri,
                    news.isrc
                from {{ ref('int_track_isrcs') }} as news
                inner join lateral (
                    select 1
                    from {{ ref('int_track_isrcs') }} as release
                    where
                        release.account = news.account
                        and release.isrc = news.isrc
                        and release.track_uri != news.track_uri
                    limit 1  -- noqa: AM09
                ) as other_release on true
                where news.{{ is_news() }}
                offset 0  -- noqa: AM09
            ) as news
            cross join lateral (
                select
                    plays.account,
                    plays.played_date_utc
                from {{ fct_plays }} as plays
                where {{ same_track('plays', 'news') }}
                offset 0  -- noqa: AM09
            ) as exported
            where
                exists (
                    select 1
                    from {{ ref('stg_spotify__plays') }} as plays
                    where
                        plays.account = exported.account
                        and plays.played_date_utc in (
                            exported.played_date_utc - 1, exported.played_date_utc, exported.played_date_utc + 1
                        )
                        and plays.isrc = news.isrc
                        and plays.track_uri != news.track_uri
                )

        {% endif %}

        {% if history %}

            union

            select
                undated.account,
                undated.played_date_utc
            from {{ ref('int_track_isrcs') }} as news
            cross join lateral (
                select
                    offline.account,
                    offline.played_date_utc
                from {{ history }} as offline
                where
                    offline.account = news.account
                    and offline.track_uri = news.track_uri
                    and offline.is_undated
                offset 0  -- noqa: AM09
            ) as undated
            where news.{{ is_news() }}

        {% endif %}
    {% endif %}

)

select distinct
    days_with_news.account,
    (days_with_news.played_date_utc + neighbour.days)::date as day_utc,
    {{ newest_load() }} as found_in_load
from days_with_news
cross join (values (-1), (0), (1)) as neighbour (days)
{% if is_incremental() %}
    where
        not exists (
            select 1
            from {{ this }} as known
            where
                known.account = days_with_news.account
                and known.day_utc = (days_with_news.played_date_utc + neighbour.days)::date
        )
{% endif %}
