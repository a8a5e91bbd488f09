{# The albums of which the news tell a track. #}
{% macro news_albums() -%}
    select distinct
        tracks.account,
        tracks.album_key
    from {{ ref('int_news_tracks') }} as news
    inner join {{ ref('dim_tracks') }} as tracks
        on news.account = tracks.account and news.track_uri = tracks.track_uri
    where tracks.album_key is not null
{%- endmacro %}

{#
    Before they are put in anew, in the same transaction: take out what they were, and those of these listeners whose last
    track has left. (`offset 0`: each is looked up, which is less than to read all tracks.)
#}
{% macro delete_news_albums() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        where
            built.account in (select news.account from {{ ref('int_news_tracks') }} as news)
            and (
                (built.account, built.album_key) in ({{ news_albums() }})
                or not exists (
                    select 1
                    from {{ ref('dim_tracks') }} as tracks
                    where tracks.account = built.account and tracks.album_key = built.album_key
                    offset 0
                )
            )
    {% endif %}
{%- endmacro %}
