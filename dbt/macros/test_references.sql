{# Every row's key, of one or more columns, is in `to`: of every row, or of those that are `only`. (dbt's own `relationships` knows one column.) #}
{% test references(model, columns, to, only=none) %}
    with

    child as (

        select * from {{ model }}
        {% if only %} where {{ only }} {% endif %}

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
