{#
    False if a row's timestamp is impossible: before Spotify existed (2006-04-01), or later than the capture of the row plus
    `skew`. A row without a time of capture is kept. Such rows stay in staging, reach no mart, and stand in
    rpt_removed_rows. Written as an integer that differs from 1, because PostgreSQL estimates that nearly all rows do; a
    comparison of two columns it estimates at a third, which changes plans.
#}
{% macro is_possible(moment, captured_at, skew) -%}
    (
        {{ moment }} < timestamptz '2006-04-01 00:00:00+00'
        or {{ moment }} > {{ captured_at }} + interval '{{ skew }}'
    )::integer is distinct from 1
{%- endmacro %}

{# A row of the export ends before its import. #}
{% macro is_possible_export() -%}
    {{ is_possible('played_at_utc', 'last_updated_datetime_utc', '0') }}
{%- endmacro %}

{# A polled play ends before its poll, give or take a day: if this machine's clock is wrong, no real play is lost. #}
{% macro is_possible_poll() -%}
    {{ is_possible('played_at_utc', 'last_updated_datetime_utc', '1 day') }}
{%- endmacro %}
