{#
    The rows of `relation` on the days of a CTE, each day looked up in the index, whatever PostgreSQL takes their number for:
    `offset 0` leaves it no other way. In a full build all rows there are.
#}
{% macro rows_of_days(relation, date, days) -%}
    {% if is_incremental() -%}
        {{ days }}
        cross join lateral (
            select those.*
            from {{ relation }} as those
            where those.account = {{ days }}.account and those.{{ date }} = {{ days }}.day_utc
            offset 0  -- noqa: AM09
        )
    {%- else -%}
        {{ relation }}
    {%- endif %}
{%- endmacro %}
