{# The credits of an export row, in the form of the Web API: the album artist, by name alone; 'Various Artists' is nobody. #}
{% macro exported_credits(album_artist_name) -%}
    case
        when {{ album_artist_name }} is null or lower({{ album_artist_name }}) = 'various artists' then '[]'::jsonb
        else jsonb_build_array(jsonb_build_object('id', null, 'name', {{ album_artist_name }}))
    end
{%- endmacro %}
