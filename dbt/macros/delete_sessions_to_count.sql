{# Before sessions are put together anew, in the same transaction: take out those of these stretches. #}
{% macro delete_sessions_to_count() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using {{ ref('int_sessions_to_count') }} as counted
        where built.account = counted.account and built.first_played_at between counted.from_at and counted.to_at
    {% endif %}
{%- endmacro %}
