{# Before the credits of tracks with news are put in, in the same transaction: take out what they were. #}
{% macro delete_news_tracks() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using {{ ref('stg_spotify__plays') }} as news
        where built.account = news.account and built.track_uri = news.track_uri and news.{{ is_news() }}
    {% endif %}
{%- endmacro %}
