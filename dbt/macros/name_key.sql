{# A key made of names, for what has no URI. #}
{% macro name_key() -%}
    {%- set names -%}
        {%- for name in varargs %}coalesce({{ name }}, ''){{ " || '|' || " if not loop.last }}{% endfor -%}
    {%- endset -%}
    'name:' || md5({{ folded_name(names) }})
{%- endmacro %}
