{# The listener's wall clock: timestamptz → timestamp, in the one configured IANA zone. #}
{% macro local_time(moment) -%}
    ({{ moment }} at time zone '{{ env_var("LISTENER_TIMEZONE", "UTC") }}')
{%- endmacro %}
