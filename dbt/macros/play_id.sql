{# The play_id of a row of int_history_plays. #}
{% macro exported_play_id(row) -%}
    md5(concat_ws(
        '|',
        {{ row }}.account,
        {{ row }}.track_uri,
        date_part('epoch', {{ row }}.played_at),
        {{ row }}.row_id,
        case when {{ row }}.is_dated_by_device then date_part('epoch', {{ row }}.reported_at) end
    ))
{%- endmacro %}

{# The play_id of a row of int_polled_plays. #}
{% macro polled_play_id(row) -%}
    md5(concat_ws('|', {{ row }}.account, {{ row }}.track_uri, extract(epoch from {{ row }}.played_at)))
{%- endmacro %}
