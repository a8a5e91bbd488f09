{#
    True for rows of staging that no successful `dbt test` has covered yet. Read from the database, not from a variable:
    `dbt run` by hand sees the same news as the pipeline, and a changed variable would make dbt parse the project anew.
#}
{% macro is_news(load_id='load_id') -%}
    {{ load_id }} > (
        select coalesce(max(dbt_runs.loaded_through), 0)
        from {{ source('pipeline', 'dbt_runs') }} as dbt_runs
        where dbt_runs.step = 'test'
    )
{%- endmacro %}
