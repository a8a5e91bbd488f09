{# Everybody credited, in order, for display: from `[{"id": …, "name": …}]`. #}
{% macro credited_names(credits) -%}
    coalesce(
        (
            select string_agg(credit.artist ->> 'name', ', ' order by credit.position)
            from jsonb_array_elements({{ credits }}) with ordinality as credit (artist, position)
        ),
        '(unknown)'
    )
{%- endmacro %}
