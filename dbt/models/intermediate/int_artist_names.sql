{{
    config(
        pre_hook="{{ memory_to_group() }}",
        unique_key=['account', 'artist_key', 'artist_name'],
        incremental_strategy='delete+insert',
        post_hook=[
            "{{ index_once('key', ['account', 'artist_key']) }}",
            "{{ index_once('name', ['account', 'name_key']) }}",
            "{{ index_once('load_id', ['load_id']) }}",
        ]
    )
}}

/*
Under which names each artist was ever credited, on tracks polled or exported. The export knows names alone, so do local
files: name_key tells which artists go by such a name. load_id is that of the newest row that credits them so.
*/
with

polled_credits as (

    -- A track's credits are the same from play to play: they are taken apart once.
    select
        account,
        artist_credits,
        max(played_at) as seen_at,
        max(load_id) as load_id
    from {{ ref('stg_spotify__plays') }}
    {% if is_incremental() %}
        where {{ is_news() }}
    {% endif %}
    group by account, artist_credits

),

exported_credits as (

    select
        account,
        album_artist_name,
        max(played_at) as seen_at,
        max(load_id) as load_id
    from {{ ref('stg_spotify__history') }}
    where
        {{ is_track_row() }}
        and album_artist_name is not null
    {% if is_incremental() %}
        and {{ is_news() }}
    {% endif %}
    group by account, album_artist_name

),

credits as (

    select
        account,
        artist_credits,
        seen_at,
        load_id
    from polled_credits
    union all
    select
        account,
        {{ exported_credits('album_artist_name') }} as artist_credits,
        seen_at,
        load_id
    from exported_credits

),

captured as (

    select
        credits.account,
        credit.artist ->> 'id' as artist_id,
        credit.artist ->> 'name' as artist_name,
        {{ artist_name_key("credit.artist ->> 'name'") }} as name_key,
        credits.seen_at,
        credits.load_id
    from credits
    cross join jsonb_array_elements(credits.artist_credits) as credit (artist)

),

named as (

    select
        account,
        coalesce(artist_id, name_key) as artist_key,
        artist_id,
        coalesce(artist_name, '(unknown)') as artist_name,
        name_key,
        seen_at,
        load_id
    from captured
    where artist_id is not null or artist_name is not null
    {% if is_incremental() %}
        union all
        select
            known.account,
            known.artist_key,
            known.artist_id,
            known.artist_name,
            known.name_key,
            known.seen_at,
            known.load_id
        from {{ this }} as known
        where
            (known.account, known.artist_key) in (
                select
                    captured.account,
                    coalesce(captured.artist_id, captured.name_key)
                from captured
            )
    {% endif %}

)

select
    account,
    artist_key,
    artist_id,
    artist_name,
    name_key,
    max(seen_at) as seen_at,
    max(load_id) as load_id
from named
group by account, artist_key, artist_id, artist_name, name_key
