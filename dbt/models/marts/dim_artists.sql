{{ config(pre_hook="{{ delete_news_artists() }}") }}

-- An artist's name as of the latest play that credits them. Whom plays credit by name alone is an artist of their own
-- only where that name does not tell which of the polled artists it is.
with

{% if is_incremental() %}

    news as (

        {{ news_artists() }}

    ),

{% endif %}

credited as (

    select names_of_artists.*
    from {{ ref('int_artist_names') }} as names_of_artists
    {% if is_incremental() %}
        inner join news
            on names_of_artists.account = news.account and names_of_artists.artist_key = news.artist_key
    {% endif %}

),

artists_of_names as (

    {{ artists_of_one_name('credited') }}

),

known as (

    select credited.*
    from credited
    left join artists_of_names
        on credited.account = artists_of_names.account and credited.name_key = artists_of_names.name_key
    where credited.artist_id is not null or artists_of_names.artist_id is null

)

select distinct on (account, artist_key)
    account,
    artist_key,
    artist_id,
    artist_name,
    seen_at as attributes_as_of
from known
order by account asc, artist_key asc, seen_at desc, artist_name asc
