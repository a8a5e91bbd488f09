{#
    A name as it is compared: without case, width, white space and punctuation. What is taken out is listed, because a
    class like [:alnum:] knows no letters but the Latin ones in a database of the locale C, and would leave nothing of
    the others. A name of nothing but such marks stays as it is.
#}
{% macro normalised_name(name) -%}
    {%- set marks = ' !"#$%&()*+,-./:;<=>?@[\\]^_`{|}~´·¡¿‘’‚“”„«»‹›‐‑‒–—―…、。・「」『』【】〜' -%}
    coalesce(
        nullif(translate(lower(normalize({{ name }}, nfkc)), '{{ marks }}''' || e'\t\n\r', ''), ''),
        {{ name }}
    )
{%- endmacro %}
