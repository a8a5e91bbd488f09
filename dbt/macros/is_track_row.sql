{#
    True for rows of stg_spotify__history that are tracks. PostgreSQL takes a computed value for rarely equal to another, and
    would prepare for a handful of rows; that it differs it takes for common.
#}
{% macro is_track_row() -%}
    content_type != 'episode' and content_type != 'audiobook' and content_type != 'unknown'
{%- endmacro %}
