{{
    config(
        pre_hook="{{ delete_news_albums() }}",
        post_hook="{{ index_once('key', ['account', 'album_key'], unique=true) }}"
    )
}}

-- depends_on: {{ ref('int_news_tracks') }}

-- An album's attributes as its latest played track tells them; one that knows how many tracks it has goes first.
with

{% if is_incremental() %}

    news as (

        {{ news_albums() }}

    ),

{% endif %}

tracks as (

    select dim.*
    from {{ ref('dim_tracks') }} as dim
    {% if is_incremental() %}
        inner join news
            on dim.account = news.account and dim.album_key = news.album_key
    {% else %}
        where dim.album_key is not null
    {% endif %}

)

select distinct on (account, album_key)
    account,
    album_key,
    album_id,
    album_name,
    coalesce(album_artist, '(unknown)') as album_artist,
    album_type,
    album_release_date as release_date,
    album_release_date_precision as release_date_precision,
    album_total_tracks as total_tracks,
    album_art_url,
    attributes_as_of
from tracks
order by
    account asc,
    album_key asc,
    (album_total_tracks is not null) desc,
    source desc,
    attributes_as_of desc,
    track_uri asc
