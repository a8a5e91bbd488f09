{# Take out the tracks that are no longer excluded, once a test has passed on the days that were counted with them. #}
{% macro delete_counted_tombstones() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        where not built.is_excluded and not built.{{ is_news('changed_in_load') }}
    {% endif %}
{%- endmacro %}
