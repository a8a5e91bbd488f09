{{ config(post_hook="{{ function_top_genres() }}") }}

-- Every genre by its plays over the whole history. A play is shared out between its artists and their genres, so that
-- all genres together are no more than the plays. For a range of dates:
-- reporting.top_genres(account, from_date, to_date).
with

weighted as (

    select
        artists.account,
        genres.genre,
        {{ shared('sum(artists.plays_shared * genres.weight)') }} as plays,
        {{ shared('sum(artists.ms_shared * genres.weight)') }} as ms_played,
        count(*) as artists
    from {{ ref('int_artist_totals') }} as artists
    inner join {{ ref('bridge_artist_genres') }} as genres
        on artists.account = genres.account and artists.artist_key = genres.artist_key
    group by artists.account, genres.genre

),

listened as (

    select
        account,
        sum(plays) as plays
    from {{ ref('fct_listening_days') }}
    group by account

)

select
    weighted.account,
    rank() over (partition by weighted.account order by weighted.plays desc, weighted.ms_played desc) as rank,
    weighted.genre,
    round(weighted.plays, 2)::numeric(20, 2) as plays,
    {{ minutes('weighted.ms_played') }} as minutes,
    {{ share('weighted.plays', 'listened.plays') }} as share_of_plays,
    weighted.artists,
    accounts.has_open_gap as is_at_least
from weighted
inner join listened on weighted.account = listened.account
inner join {{ ref('dim_accounts') }} as accounts on weighted.account = accounts.account
