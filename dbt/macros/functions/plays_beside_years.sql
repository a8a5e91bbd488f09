{#
    The counted plays between two local dates that lie in none of the whole years between them. As `not in`, exclusions
    (of int_counted_plays) are hashed once.
#}
{% macro function_plays_beside_years() -%}
    {% set body %}
        with

        whole as materialized (

            select * from intermediate.whole_years(of_account, from_date, to_date)

        ),

        spans as (

            select
                span_from,
                case when first_year <= last_year then make_date(first_year, 1, 1) - 1 else span_to end as span_to
            from whole
            union all
            select
                make_date(last_year + 1, 1, 1) as span_from,
                span_to
            from whole
            where first_year <= last_year

        )

        select plays.*
        from spans
        cross join lateral (
            select
                heard.track_uri,
                heard.ms_played,
                case when heard.is_estimated then heard.ms_played else 0 end as ms_estimated,
                heard.played_at
            from {{ ref('fct_plays') }} as heard
            where
                heard.account = of_account
                and heard.played_date between spans.span_from and spans.span_to
                and heard.content_type = 'track'
                and heard.play_id not in (
                    select excluded.play_id
                    from {{ ref('int_excluded_plays') }} as excluded
                    where excluded.account = of_account and excluded.played_date between from_date and to_date
                )
            offset 0
        ) as plays
    {% endset %}
    {{ table_function(
        'intermediate.plays_beside_years',
        'track_uri text, ms_played bigint, ms_estimated bigint, played_at timestamptz',
        body
    ) }}
{%- endmacro %}
