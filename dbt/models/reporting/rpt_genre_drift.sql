-- What part each genre had in each year, against the calendar year before.
with

weighted as (

    select
        artists.account,
        artists.played_year,
        genres.genre,
        {{ shared('sum(artists.plays_shared * genres.weight)') }} as plays
    from {{ ref('fct_artist_years') }} as artists
    inner join {{ ref('bridge_artist_genres') }} as genres
        on artists.account = genres.account and artists.artist_key = genres.artist_key
    group by artists.account, artists.played_year, genres.genre

),

-- The last year before in which the genre was heard, which need not be the calendar year before.
followed as (

    select
        *,
        lag(played_year) over genre_years as last_year,
        lag(plays) over genre_years as last_plays
    from weighted
    window genre_years as (partition by account, genre order by played_year)

),

years as (

    select
        account,
        extract(year from played_date)::integer as played_year,
        sum(plays) as plays
    from {{ ref('fct_listening_days') }}
    group by account, extract(year from played_date)

),

totals as (

    select
        years.*,
        case
            when lag(years.played_year) over account_years = years.played_year - 1
                then lag(years.plays) over account_years
        end as plays_before
    from years
    window account_years as (partition by years.account order by years.played_year)

),

shares as (

    select
        followed.account,
        followed.played_year,
        followed.genre,
        followed.plays,
        followed.plays / nullif(totals.plays, 0) as share,
        case when followed.last_year = followed.played_year - 1 then followed.last_plays else 0 end
        / nullif(totals.plays_before, 0) as share_before
    from followed
    inner join totals
        on followed.account = totals.account and followed.played_year = totals.played_year

)

select
    shares.account,
    shares.played_year,
    shares.genre,
    round(shares.plays, 2)::numeric(20, 2) as plays,
    round(shares.share, 4)::numeric(20, 4) as share,
    round(shares.share_before, 4)::numeric(20, 4) as share_before,
    round(shares.share - shares.share_before, 4)::numeric(20, 4) as change,
    make_date(shares.played_year, 1, 1) >= accounts.first_played_date
    and make_date(shares.played_year, 12, 31) < accounts.today as is_complete
from shares
inner join {{ ref('dim_accounts') }} as accounts on shares.account = accounts.account
