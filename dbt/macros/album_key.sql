{#
    The key of an album: made of names, which both sources know. So releases of one name by one artist are one album, and a
    deluxe edition of another name is another.
#}
{% macro album_key(album_name, album_artist) -%}
    'album:' || md5(lower({{ album_name }}) || '|' || lower(coalesce({{ album_artist }}, '')))
{%- endmacro %}
