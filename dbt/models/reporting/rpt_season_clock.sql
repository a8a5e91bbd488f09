-- The hours of the day by season, named by its months: they are winter here and summer there.
with

seasons as (

    select distinct
        season,
        month
    from {{ ref('dim_dates') }}

),

cells as (

    select
        accounts.account,
        seasons.season,
        hours.played_hour
    from {{ ref('dim_accounts') }} as accounts
    cross join seasons
    cross join generate_series(0, 23) as hours (played_hour)
    where accounts.first_played_date is not null and seasons.month % 3 = 0

),

heard as (

    select
        totals.account,
        seasons.season,
        totals.played_hour,
        sum(totals.plays)::bigint as plays,
        sum(totals.ms_played)::bigint as ms_played
    from {{ ref('int_hour_totals') }} as totals
    inner join seasons on totals.month = seasons.month
    group by totals.account, seasons.season, totals.played_hour

)

select
    cells.account,
    cells.season,
    cells.played_hour,
    coalesce(heard.plays, 0) as plays,
    {{ minutes('coalesce(heard.ms_played, 0)') }} as minutes,
    {{ share(
        'coalesce(heard.ms_played, 0)', 'sum(heard.ms_played) over (partition by cells.account, cells.season)'
    ) }} as share_of_season
from cells
left join heard
    on
        cells.account = heard.account
        and cells.season = heard.season
        and cells.played_hour = heard.played_hour
