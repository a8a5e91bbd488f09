{# The one configured IANA zone, as a literal. #}
{% macro listener_zone() -%}
    '{{ env_var("LISTENER_TIMEZONE", "UTC") }}'
{%- endmacro %}
