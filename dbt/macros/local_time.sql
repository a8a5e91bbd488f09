{# The listener's wall clock: timestamptz → timestamp, in the zone of the account. #}
{% macro local_time(moment, account='account') -%}
    ({{ moment }} at time zone {{ listener_zone(account) }})
{%- endmacro %}

{# When a local date begins: date → timestamptz, in the zone of the account. #}
{% macro local_midnight(date, account='account') -%}
    (({{ date }})::timestamp at time zone {{ listener_zone(account) }})
{%- endmacro %}
