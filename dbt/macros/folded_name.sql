{#
    A name without case, for comparisons and keys. NFC comes first: an é of one code point and an e with a combining
    accent are one letter. PostgreSQL's normalize() needs a database of the encoding UTF8.
#}
{% macro folded_name(name) -%}
    lower(normalize({{ name }}, nfc))
{%- endmacro %}
