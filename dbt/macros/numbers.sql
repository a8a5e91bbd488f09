{# Milliseconds as minutes; rounded once, of the sum. #}
{% macro minutes(ms) -%}
    round({{ ms }} / 60000.0, 2)::numeric(20, 2)
{%- endmacro %}

{# A part of a whole; null where there is no whole. #}
{% macro share(part, whole) -%}
    round({{ part }}::numeric / nullif({{ whole }}, 0), 4)::numeric(20, 4)
{%- endmacro %}

{# By how much a number is more than the one before, as a part of that; null where that is nothing. #}
{% macro change(now, before) -%}
    round(({{ now }} - {{ before }})::numeric / nullif({{ before }}, 0), 4)::numeric(20, 4)
{%- endmacro %}

{# Sums of parts such as thirds, to six digits first: they may lie a hair below what they are. #}
{% macro shared(number) -%}
    round({{ number }}, 6)
{%- endmacro %}
