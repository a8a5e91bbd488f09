{{
    config(
        pre_hook="{% if is_incremental() %} delete from {{ this }} as built where not built.{{ is_news('found_in_load') }} {% endif %}",
        post_hook="analyze {{ this }}"
    )
}}

/*
The tracks of which either source brought a row that no successful `dbt test` has covered yet, and on which album each
was before: dim_tracks, built after this table, overwrites it. A track has a second row if it changes the album twice
before a test passes; like a day of int_days_to_rebuild, a row stays until then.

A table, because PostgreSQL estimates such rows as a third of all. A full build needs none.
*/
{% set dim_tracks = adapter.get_relation(target.database, 'marts', 'dim_tracks') if is_incremental() %}

with

news as (

    {% for news in ('stg_spotify__plays', 'stg_spotify__history') %}
        select
            news.account,
            news.track_uri
        from {{ ref(news) }} as news
        where {{ 'news.' ~ is_news() if is_incremental() else 'false' }}
        {{ 'union' if not loop.last }}
    {% endfor %}

),

found as (

    select
        news.account,
        news.track_uri,
        {{ 'former.album_key' if dim_tracks else 'null::text' }} as former_album_key
    from news
    {% if dim_tracks %}
        left join {{ dim_tracks }} as former
            on news.account = former.account and news.track_uri = former.track_uri
    {% endif %}

)

select
    found.account,
    found.track_uri,
    found.former_album_key,
    {{ newest_load() }} as found_in_load
from found
{% if is_incremental() %}
    where
        not exists (
            select 1
            from {{ this }} as known
            where
                known.account = found.account
                and known.track_uri = found.track_uri
                and known.former_album_key is not distinct from found.former_album_key
        )
{% endif %}
