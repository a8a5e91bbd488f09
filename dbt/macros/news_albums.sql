{# The albums of which the news bring a track, and those on which such a track was before. #}
{% macro news_albums() -%}
    select
        tracks.account,
        tracks.album_key
    from {{ ref('int_news_tracks') }} as news
    inner join {{ ref('dim_tracks') }} as tracks
        on news.account = tracks.account and news.track_uri = tracks.track_uri
    where tracks.album_key is not null
    union
    select
        news.account,
        news.former_album_key as album_key
    from {{ ref('int_news_tracks') }} as news
    where news.former_album_key is not null
{%- endmacro %}

{# Before they are put in again, in the same transaction: take out what they were. #}
{% macro delete_news_albums() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using ({{ news_albums() }}) as news
        where built.account = news.account and built.album_key = news.album_key
    {% endif %}
{%- endmacro %}
