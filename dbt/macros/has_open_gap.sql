{# Whether a total over local dates is only an "at least": `accounts` is dim_accounts. #}
{% macro has_open_gap_between(accounts, from_date, to_date) -%}
    coalesce(
        {{ accounts }}.open_gaps && tstzrange(
            {{ local_midnight(from_date, accounts ~ '.account') }},
            {{ local_midnight(to_date ~ ' + 1', accounts ~ '.account') }}
        ),
        false
    )
{%- endmacro %}
