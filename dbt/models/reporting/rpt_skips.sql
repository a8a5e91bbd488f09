-- How much was skipped and how much was heard to the end, by month; of plays of which that is known.
with

months as (

    select
        account,
        date_trunc('month', played_date)::date as month_start,
        sum(plays)::bigint as plays,
        sum(plays_judged)::bigint as plays_judged,
        sum(skips)::bigint as skips,
        sum(plays_completion_judged)::bigint as plays_completion_judged,
        sum(completions)::bigint as completions,
        sum(plays_estimated)::bigint as plays_estimated
    from {{ ref('fct_listening_days') }}
    group by account, date_trunc('month', played_date)::date

)

select
    account,
    month_start,
    plays,
    plays_judged,
    skips,
    {{ share('skips', 'plays_judged') }} as skip_share,
    plays_completion_judged,
    completions,
    {{ share('completions', 'plays_completion_judged') }} as completion_share,
    plays_estimated
from months
where plays > 0
