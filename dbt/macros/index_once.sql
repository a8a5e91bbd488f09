{# An index that survives incremental runs. (dbt's own `indexes` are looked up and hashed at every run.) #}
{% macro index_once(name, columns, include=[]) -%}
    create index if not exists {{ this.identifier }}_{{ name }} on {{ this }} ({{ columns | join(', ') }})
    {%- if include %} include ({{ include | join(', ') }}){% endif %}
{%- endmacro %}
