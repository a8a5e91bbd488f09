{{
    config(
        pre_hook="{% if is_incremental() %} delete from {{ this }} {% endif %}",
        post_hook="analyze {{ this }}"
    )
}}

-- The tracks of which either source brought a row that no successful `dbt test` has covered yet. A table, because
-- PostgreSQL takes such rows for a third of all, and what reads them here knows how few they are. A full build needs
-- none.
{% for news in ('stg_spotify__plays', 'stg_spotify__history') %}
    select
        news.account,
        news.track_uri
    from {{ ref(news) }} as news
    where {{ 'news.' ~ is_news() if is_incremental() else 'false' }}
    {{ 'union' if not loop.last }}
{% endfor %}
