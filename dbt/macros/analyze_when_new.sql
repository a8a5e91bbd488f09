{#
    After a full build: without statistics the models that follow would be prepared for a table of nothing special. A small
    sample tells them enough; PostgreSQL itself takes a larger one in its own time.
#}
{% macro analyze_when_new() -%}
    {% if not is_incremental() -%}
        set local default_statistics_target = 20;
        analyze {{ this }}
    {%- endif %}
{%- endmacro %}
