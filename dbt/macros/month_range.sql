{# A local month as moments. #}
{% macro month_range(month, account) -%}
    tstzmultirange(tstzrange(
        {{ local_midnight(month, account) }},
        {{ local_midnight(month ~ " + interval '1 month'", account) }}
    ))
{%- endmacro %}
