{{ config(unique_key=['account', 'artist_key'], incremental_strategy='delete+insert') }}

-- An artist's name as of the latest play of a track that credits them.
with

plays as (

    select * from {{ ref('stg_spotify__plays') }}
    {% if is_incremental() %}
        where {{ is_news() }}
    {% endif %}

),

captured as (

    select
        plays.account,
        {{ artist_key('credit.artist') }} as artist_key,
        credit.artist ->> 'id' as artist_id,
        coalesce(credit.artist ->> 'name', '(unknown)') as artist_name,
        plays.played_at as attributes_as_of
    from plays
    cross join jsonb_array_elements(plays.artist_credits) as credit (artist)

),

known as (

    select * from captured
    {% if is_incremental() %}
        union all
        select
            dim.account,
            dim.artist_key,
            dim.artist_id,
            dim.artist_name,
            dim.attributes_as_of
        from {{ this }} as dim
        where (dim.account, dim.artist_key) in (select captured.account, captured.artist_key from captured)
    {% endif %}

)

select distinct on (account, artist_key) *
from known
order by account asc, artist_key asc, attributes_as_of desc, artist_name asc
