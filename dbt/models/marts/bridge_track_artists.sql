{{ config(materialized='view') }}

-- Who is credited on a track, second and third artists included.
select
    account,
    track_uri,
    artist_key,
    position,
    name_key
from {{ ref('int_track_credits') }}
