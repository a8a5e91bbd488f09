{#
    An index, made with the table and kept by incremental runs. (dbt's own `indexes` are looked up and hashed at every run.)
    A full build finds the index of that name on the table it is about to drop, and must not take it for its own.
#}
{% macro index_once(name, columns, include=[], where=none, unique=false, method='btree') -%}
    {% if not is_incremental() -%}
        drop index if exists {{ this.schema }}.{{ this.identifier }}_{{ name }};
        create {{ 'unique ' if unique }}index {{ this.identifier }}_{{ name }}
        on {{ this }} using {{ method }} ({{ columns | join(', ') }})
        {%- if include %} include ({{ include | join(', ') }}){% endif %}
        {%- if where %} where {{ where }}{% endif %}
    {%- endif %}
{%- endmacro %}
