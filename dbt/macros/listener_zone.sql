{#
    The configured IANA zone of an account, as an expression: that of LISTENER_TIMEZONES ("anna=Asia/Tokyo ben=UTC", as the
    pipeline writes it), else LISTENER_TIMEZONE. A zone holds for the whole history: who moves changes the setting, and
    every day is booked anew by the one calendar.
#}
{% macro listener_zone(account='account') -%}
    {%- set default = "'" ~ env_var('LISTENER_TIMEZONE', 'UTC') ~ "'" -%}
    {%- set own = env_var('LISTENER_TIMEZONES', '').split() -%}
    {%- if own -%}
        case {{ account }}
            {%- for pair in own %} when '{{ pair.split('=')[0] }}' then '{{ pair.split('=')[1] }}'{% endfor %} else {{ default }} end
    {%- else -%}
        {{ default }}
    {%- endif -%}
{%- endmacro %}
