{# For a model that groups the whole history by track or artist: with PostgreSQL's 4 MB it would sort all plays on disk. #}
{% macro memory_to_group() -%}
    {% if not is_incremental() %} set local work_mem = '64MB' {% endif %}
{%- endmacro %}
