{# Before an incremental model puts the counted days in, in the same transaction: take out what they were. #}
{% macro delete_days_to_count(date='played_date') -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using {{ ref('int_days_to_count') }} as counted
        where built.account = counted.account and built.{{ date }} = counted.played_date
    {% endif %}
{%- endmacro %}

{# The local dates in which plays are counted anew, as spans of one day. #}
{% macro days_to_count() -%}
    select
        days.account,
        days.played_date as from_date,
        days.played_date as to_date
    from {{ ref('int_days_to_count') }} as days
{%- endmacro %}

{#
    Plays of `relation` on the local dates of a CTE `spans` (account, from_date, to_date), looked up in the index by date
    whatever PostgreSQL takes their number for; in a full build all plays there are. As `those`.
#}
{% macro plays_of_spans(relation, spans) -%}
    {% if is_incremental() -%}
        {{ spans }}
        cross join lateral (
            select those.*
            from {{ relation }} as those
            where
                those.account = {{ spans }}.account
                and those.played_date between {{ spans }}.from_date and {{ spans }}.to_date
            offset 0  -- noqa: AM09
        ) as those
    {%- else -%}
        {{ relation }} as those
    {%- endif %}
{%- endmacro %}
