{#
    The key of an album: made of names, which both sources know. So releases of one name by one artist are one album, and a
    deluxe edition of another name is another.
#}
{% macro album_key(album_name, album_artist) -%}
    {%- set artist = "coalesce(" ~ album_artist ~ ", '')" -%}
    'album:' || md5({{ folded_name(album_name) }} || '|' || {{ folded_name(artist) }})
{%- endmacro %}
