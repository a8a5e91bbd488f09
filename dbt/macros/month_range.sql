{# A local month as moments. #}
{% macro month_range(month) -%}
    tstzmultirange(tstzrange(
        {{ month }}::timestamp at time zone {{ listener_zone() }},
        ({{ month }} + interval '1 month') at time zone {{ listener_zone() }}
    ))
{%- endmacro %}
