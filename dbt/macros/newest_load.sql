{# The newest load that brought a play: what this run knows of. #}
{% macro newest_load() -%}
    (
        select greatest(
            (select max(polled.load_id) from {{ ref('stg_spotify__plays') }} as polled),
            (select max(exported.load_id) from {{ ref('stg_spotify__history') }} as exported)
        )
    )
{%- endmacro %}
