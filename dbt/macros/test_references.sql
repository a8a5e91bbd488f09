{# Every row's key, of one or more columns, is in `to`. (dbt's own `relationships` knows one column.) #}
{% test references(model, columns, to) %}
    with

    child as (

        select * from {{ model }}

    )

    select child.*
    from child
    where
        not exists (
            select 1
            from {{ to }} as parent
            where
                {% for column in columns -%}
                    parent.{{ column }} = child.{{ column }}{{ ' and ' if not loop.last }}
                {%- endfor %}
        )
{% endtest %}
