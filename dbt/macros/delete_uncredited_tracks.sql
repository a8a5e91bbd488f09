{# Before the credits of tracks with news are put in, in the same transaction: take out those of tracks that have none now. #}
{% macro delete_uncredited_tracks() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using {{ ref('int_news_tracks') }} as news, {{ ref('dim_tracks') }} as tracks
        where
            built.account = news.account and built.track_uri = news.track_uri
            and built.account = tracks.account and built.track_uri = tracks.track_uri
            and tracks.artist_credits = '[]'::jsonb
    {% endif %}
{%- endmacro %}
