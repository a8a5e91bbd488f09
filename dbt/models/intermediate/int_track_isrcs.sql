{{
    config(
        post_hook="{{ index_once('isrc', ['account', 'isrc']) }}"
    )
}}

-- Under which ISRCs each track was ever polled: the export has none. load_id is that of the first row to tell.
with

plays as (

    select * from {{ ref('stg_spotify__plays') }}
    where isrc is not null
    {% if is_incremental() %}
            and {{ is_news() }}
    {% endif %}

),

told as (

    select
        account,
        track_uri,
        isrc,
        min(load_id) as load_id
    from plays
    group by account, track_uri, isrc

)

select told.*
from told
{% if is_incremental() %}
    where
        not exists (
            select 1
            from {{ this }} as known
            where
                known.account = told.account
                and known.track_uri = told.track_uri
                and known.isrc = told.isrc
        )
{% endif %}
