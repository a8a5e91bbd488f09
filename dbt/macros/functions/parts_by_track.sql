{#
    What was heard of each track between two local dates, in parts: a calendar year that lies whole between them is one,
    as counted already; any other play is one. Who asks adds them up.
#}
{% macro function_parts_by_track() -%}
    {% set body %}
        with

        whole as materialized (

            select * from intermediate.whole_years(of_account, from_date, to_date)

        )

        select
            years.track_uri,
            years.plays::integer,
            years.ms_played,
            years.ms_estimated,
            years.last_played_at
        from {{ ref('fct_track_years') }} as years
        where
            years.account = of_account
            and years.played_year between (select first_year from whole) and (select last_year from whole)
        union all
        select
            plays.track_uri,
            1 as plays,
            plays.ms_played,
            plays.ms_estimated,
            plays.played_at as last_played_at
        from intermediate.plays_beside_years(of_account, from_date, to_date) as plays
    {% endset %}
    {{ table_function(
        'intermediate.parts_by_track',
        'track_uri text, plays integer, ms_played bigint, ms_estimated bigint, last_played_at timestamptz',
        body
    ) }}
{%- endmacro %}
