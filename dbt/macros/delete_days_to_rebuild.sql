{# Before an incremental model puts the rebuilt days in, in the same transaction: take out what they were. #}
{% macro delete_days_to_rebuild(date='played_date_utc') -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using {{ ref('int_days_to_rebuild') }} as rebuilt
        where built.account = rebuilt.account and built.{{ date }} = rebuilt.day_utc
    {% endif %}
{%- endmacro %}
