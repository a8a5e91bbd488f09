{# The key of an artist of whom only the name is known. #}
{% macro artist_name_key(name) -%}
    'name:' || md5({{ folded_name(name) }})
{%- endmacro %}
