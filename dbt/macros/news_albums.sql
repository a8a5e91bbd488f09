{#
    The albums of which the news tell a track, and those on which such a track was until now: int_track_totals, which is
    brought up to date after dim_albums, still says so.
#}
{% macro news_albums() -%}
    {% set totals = adapter.get_relation(target.database, 'intermediate', 'int_track_totals') %}
    select
        tracks.account,
        tracks.album_key
    from {{ ref('int_news_tracks') }} as news
    inner join {{ ref('dim_tracks') }} as tracks
        on news.account = tracks.account and news.track_uri = tracks.track_uri
    where tracks.album_key is not null
    {% if totals %}
        union
        select
            totals.account,
            totals.album_key
        from {{ ref('int_news_tracks') }} as news
        inner join {{ totals }} as totals
            on news.account = totals.account and news.track_uri = totals.track_uri
        where totals.album_key is not null
    {% endif %}
{%- endmacro %}

{# Before they are put in anew, in the same transaction: take out what they were. #}
{% macro delete_news_albums() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using ({{ news_albums() }}) as news
        where built.account = news.account and built.album_key = news.album_key
    {% endif %}
{%- endmacro %}
