{# An artist's key from a credit `{"id": …, "name": …}`: the Spotify id, or for local files a digest of the name. #}
{% macro artist_key(credit) -%}
    coalesce({{ credit }} ->> 'id', 'name:' || md5(lower({{ credit }} ->> 'name')))
{%- endmacro %}
