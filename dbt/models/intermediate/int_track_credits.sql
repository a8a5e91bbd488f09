{{
    config(
        pre_hook="{{ delete_uncredited_tracks() }}",
        post_hook=[
            "{{ index_once('key', ['account', 'track_uri', 'artist_key'], include=['credited'], unique=true) }}",
            "{{ index_once('name_key', ['account', 'name_key'], where='name_key is not null') }}",
            "{{ index_once('artist', ['account', 'artist_key']) }}",
            "{{ index_once('load', ['changed_in_load']) }}",
        ],
        unique_key=['account', 'track_uri'],
        incremental_strategy='delete+insert'
    )
}}

-- depends_on: {{ ref('int_news_tracks') }}
-- depends_on: {{ ref('stg_spotify__plays') }}
-- depends_on: {{ ref('stg_spotify__history') }}

-- Who is credited on a track: every artist once, at the first place they are named. A credit by name alone is that of
-- the one artist of this name who was polled, if there is exactly one. So a slot that brings a name also bridges anew
-- what is credited by that name alone.
with

{% if is_incremental() %}

    news_tracks as (

        select
            news.account,
            news.track_uri
        from {{ ref('int_news_tracks') }} as news
        union
        select
            named.account,
            named.track_uri
        from {{ ref('int_artist_names') }} as news
        inner join {{ this }} as named
            on news.account = named.account and news.name_key = named.name_key
        where news.{{ is_news() }}

    ),

{% endif %}

tracks as (

    select
        dim.account,
        dim.track_uri,
        dim.artist_credits
    from {{ ref('dim_tracks') }} as dim
    {% if is_incremental() %}
        inner join news_tracks
            on dim.account = news_tracks.account and dim.track_uri = news_tracks.track_uri
    {% endif %}

),

credits as (

    select
        tracks.account,
        tracks.track_uri,
        credit.artist ->> 'id' as artist_id,
        case
            when credit.artist ->> 'id' is null then {{ artist_name_key("credit.artist ->> 'name'") }}
        end as name_key,
        credit.position::integer as position
    from tracks
    cross join jsonb_array_elements(tracks.artist_credits) with ordinality as credit (artist, position)

),

artists_of_names as (

    {{ artists_of_one_name('credits') }}

),

resolved as (

    select
        credits.account,
        credits.track_uri,
        coalesce(credits.artist_id, artists_of_names.artist_id, credits.name_key) as artist_key,
        credits.name_key,
        credits.position
    from credits
    left join artists_of_names
        on credits.account = artists_of_names.account and credits.name_key = artists_of_names.name_key

),

credited as (

    select
        account,
        track_uri,
        artist_key,
        min(position) as position,
        max(name_key) as name_key
    from resolved
    where artist_key is not null
    group by account, track_uri, artist_key

),

told as (

    select
        *,
        count(*) over (partition by account, track_uri) as credited,
        array_agg((artist_key, position, name_key)::text) over (
            partition by account, track_uri
            order by artist_key
            rows between unbounded preceding and unbounded following
        ) as credits_of_track
    from credited

)

select
    told.account,
    told.track_uri,
    told.artist_key,
    told.position,
    told.name_key,
    told.credited,
    {{ newest_load() }} as changed_in_load
from told
{% if is_incremental() %}
    -- Most news are of tracks whose credits are known. They stay: what is counted by artist can tell who is new.
    where
        told.credits_of_track is distinct from (
            select array_agg((known.artist_key, known.position, known.name_key)::text order by known.artist_key)
            from {{ this }} as known
            where known.account = told.account and known.track_uri = told.track_uri
        )
{% endif %}
