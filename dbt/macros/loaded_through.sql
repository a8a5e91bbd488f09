{# The newest load that the last successful `dbt run` saw: what lies beyond it is not in the marts yet. #}
{% macro loaded_through() -%}
    (
        select max(dbt_runs.loaded_through)
        from {{ source('pipeline', 'dbt_runs') }} as dbt_runs
        where dbt_runs.step = 'run'
    )
{%- endmacro %}
