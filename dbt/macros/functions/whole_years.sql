{#
    Which calendar years lie whole between two local dates, as those are counted already, and whether all of the history
    does. Beyond its ends there is nothing: the years in which it begins and ends can be whole as well.
#}
{% macro function_whole_years() -%}
    {% set body %}
        with

        known as materialized (

            select
                min(days.played_date) as first_date,
                max(days.played_date) as last_date
            from {{ ref('fct_listening_days') }} as days
            where days.account = of_account

        ),

        spans as materialized (

            select
                case
                    when from_date <= first_date then date_trunc('year', first_date)::date
                    else from_date
                end as span_from,
                case
                    when to_date >= last_date then (date_trunc('year', last_date) + interval '1 year')::date - 1
                    else to_date
                end as span_to,
                from_date <= first_date and to_date >= last_date as is_all
            from known

        )

        select
            span_from,
            span_to,
            extract(year from span_from - 1)::integer + 1 as first_year,
            extract(year from span_to + 1)::integer - 1 as last_year,
            is_all
        from spans
    {% endset %}
    {{ table_function(
        'intermediate.whole_years',
        'span_from date, span_to date, first_year integer, last_year integer, is_all boolean',
        body
    ) }}
{%- endmacro %}
