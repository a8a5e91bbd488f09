{# What a rule can be about. #}
{% macro exclusion_kinds() -%}
    {{ return(['play', 'track', 'artist', 'album', 'genre', 'hour_window', 'platform', 'shorter_than', 'account']) }}
{%- endmacro %}
