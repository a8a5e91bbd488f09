{# How a period was listened through: streak, busiest date, hour, skips and sittings, in one row. #}
{% macro function_listened_between() -%}
    {% set body %}
        with

        days as materialized (

            select
                listened.played_date,
                listened.ms_played,
                listened.skips,
                listened.plays_judged,
                listened.played_date - (row_number() over (order by listened.played_date))::integer as run
            from {{ ref('fct_listening_days') }} as listened
            where
                listened.account = of_account
                and listened.plays > 0
                and listened.played_date between from_date and to_date

        ),

        streaks as (

            select count(*) as dates
            from days
            group by run

        ),

        busiest as (

            select
                played_date,
                ms_played
            from days
            order by ms_played desc, played_date asc
            limit 1

        ),

        clock as (

            select hours.played_hour
            from {{ ref('fct_listening_hours') }} as hours
            where hours.account = of_account and hours.played_date between from_date and to_date
            group by hours.played_hour
            order by sum(hours.ms_played) desc, hours.played_hour asc
            limit 1

        ),

        sittings as (

            select
                count(*) as sessions,
                max(duration_ms) as longest_ms
            from {{ ref('fct_sessions') }}
            where account = of_account and started_date between from_date and to_date

        )

        select
            (select max(streaks.dates) from streaks),
            busiest.played_date,
            busiest.ms_played,
            clock.played_hour,
            (select sum(days.skips)::bigint from days),
            (select sum(days.plays_judged)::bigint from days),
            sittings.sessions,
            sittings.longest_ms
        from sittings
        left join busiest on true
        left join clock on true
    {% endset %}
    {{ table_function(
        'intermediate.listened_between',
        'longest_streak bigint, busiest_date date, busiest_ms bigint, top_hour integer, skips bigint,'
        ~ ' plays_judged bigint, sessions bigint, longest_session_ms bigint',
        body,
        is_public=true
    ) }}
{%- endmacro %}
