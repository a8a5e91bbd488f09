{# Whether a total over the account's whole history is only an "at least". #}
{% macro has_open_gap(account) -%}
    {{ account }} in (select gaps.account from {{ ref('fct_gaps') }} as gaps where gaps.is_open)
{%- endmacro %}
