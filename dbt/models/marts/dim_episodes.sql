{{ config(unique_key=['account', 'track_uri'], incremental_strategy='delete+insert') }}

-- What was played and is no track, with its names as of the latest play that has some. Known from the export alone.
with

exported as not materialized (

    select
        account,
        track_uri,
        content_type,
        coalesce(spoken_title, '(untitled)') as title,
        show_title,
        played_at as attributes_as_of
    from {{ ref('stg_spotify__history') }}
    where
        content_type != 'track'
    {% if is_incremental() %}
        and {{ is_news() }}
    {% endif %}

),

known as (

    select * from exported
    {% if is_incremental() %}
        union all
        select
            dim.account,
            dim.track_uri,
            dim.content_type,
            dim.title,
            dim.show_title,
            dim.attributes_as_of
        from {{ this }} as dim
        where (dim.account, dim.track_uri) in (select exported.account, exported.track_uri from exported)
    {% endif %}

)

select distinct on (account, track_uri)
    account,
    track_uri,
    content_type,
    title,
    show_title,
    case
        when track_uri like 'spotify:%:%'
            then 'https://open.spotify.com/' || split_part(track_uri, ':', 2) || '/' || split_part(track_uri, ':', 3)
    end as episode_url,
    attributes_as_of
from known
order by
    account asc,
    track_uri asc,
    (title != '(untitled)') desc,
    attributes_as_of desc,
    title asc,
    show_title asc,
    content_type asc
