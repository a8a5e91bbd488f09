{#
    True for rows of int_history_plays that stand at the second of a sync instead of the end of the play: the device was
    offline and does not say soundly when.
#}
{% macro is_undated(rows) -%}
    {{ rows }}.is_offline and not {{ rows }}.is_dated_by_device
{%- endmacro %}
