{# A key made of names, for what has no URI. #}
{% macro name_key() -%}
    'name:' || md5(lower(
        {%- for name in varargs %} coalesce({{ name }}, ''){{ " || '|' ||" if not loop.last }}{% endfor -%}
    ))
{%- endmacro %}
