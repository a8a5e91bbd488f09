{#
    The credits of an export row, in the form of the Web API: the album artist, by name alone; 'Various Artists' is nobody. NFC turns
    no other text into these ASCII letters, so that lower() is enough here.
#}
{% macro exported_credits(album_artist_name) -%}
    case
        when {{ album_artist_name }} is null or lower({{ album_artist_name }}) = 'various artists' then '[]'::jsonb
        else jsonb_build_array(jsonb_build_object('id', null, 'name', {{ album_artist_name }}))
    end
{%- endmacro %}
