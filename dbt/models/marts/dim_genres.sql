{{ config(materialized='view') }}

-- The genres that credited artists have.
select
    account,
    genre,
    count(*) as artists,
    sum(weight)::numeric(20, 8) as weight
from {{ ref('bridge_artist_genres') }}
group by account, genre
