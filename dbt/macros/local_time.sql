{# The listener's wall clock: timestamptz → timestamp, in the one configured IANA zone. #}
{% macro local_time(moment) -%}
    ({{ moment }} at time zone {{ listener_zone() }})
{%- endmacro %}
