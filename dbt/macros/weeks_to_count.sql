{# The ISO weeks in which plays are counted anew. #}
{% macro weeks_to_count() -%}
    select distinct
        days.account,
        date_trunc('week', days.played_date)::date as from_date,
        date_trunc('week', days.played_date)::date + 6 as to_date
    from {{ ref('int_days_to_count') }} as days
{%- endmacro %}

{# Before they are put in anew, in the same transaction: take out what they were. #}
{% macro delete_obsession_weeks() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using ({{ weeks_to_count() }}) as weeks
        where built.account = weeks.account and built.week_start = weeks.from_date
    {% endif %}
{%- endmacro %}
