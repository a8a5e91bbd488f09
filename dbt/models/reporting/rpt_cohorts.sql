-- Of the artists first heard in a year, how many were heard in each year since.
with

years as not materialized (

    select * from {{ ref('fct_artist_years') }}

),

discovered as not materialized (

    select
        account,
        artist_key,
        min(played_year) as cohort_year
    from years
    group by account, artist_key

),

cohorts as (

    select
        account,
        cohort_year,
        count(*) as artists
    from discovered
    group by account, cohort_year

),

heard as (

    select
        discovered.account,
        discovered.cohort_year,
        years.played_year,
        count(*) as artists_heard,
        sum(years.plays)::bigint as plays
    from discovered
    inner join years
        on discovered.account = years.account and discovered.artist_key = years.artist_key
    group by discovered.account, discovered.cohort_year, years.played_year

),

cells as (

    select
        cohorts.account,
        cohorts.cohort_year,
        cohorts.artists,
        spine.played_year
    from cohorts
    inner join {{ ref('dim_accounts') }} as accounts on cohorts.account = accounts.account
    cross join generate_series(cohorts.cohort_year, extract(year from accounts.today)::integer) as spine (played_year)

)

select
    cells.account,
    cells.cohort_year,
    cells.played_year,
    cells.artists,
    coalesce(heard.artists_heard, 0) as artists_heard,
    {{ share('coalesce(heard.artists_heard, 0)', 'cells.artists') }} as share,
    coalesce(heard.plays, 0) as plays
from cells
left join heard
    on
        cells.account = heard.account
        and cells.cohort_year = heard.cohort_year
        and cells.played_year = heard.played_year
