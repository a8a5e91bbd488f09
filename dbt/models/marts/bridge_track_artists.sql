{{ config(pre_hook="{{ delete_news_tracks() }}") }}

-- depends_on: {{ ref('stg_spotify__plays') }}

-- Who is credited on a track: every artist once, at the first place they are named.
with

tracks as (

    select * from {{ ref('dim_tracks') }}
    {% if is_incremental() %}
        where
            (account, track_uri) in (
                select
                    news.account,
                    news.track_uri
                from {{ ref('stg_spotify__plays') }} as news
                where {{ is_news() }}
            )
    {% endif %}

),

credits as (

    select
        tracks.account,
        tracks.track_uri,
        {{ artist_key('credit.artist') }} as artist_key,
        credit.position::integer as position
    from tracks
    cross join jsonb_array_elements(tracks.artist_credits) with ordinality as credit (artist, position)

)

select
    account,
    track_uri,
    artist_key,
    min(position) as position
from credits
group by account, track_uri, artist_key
