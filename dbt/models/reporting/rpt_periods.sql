-- Every ISO week, month, quarter and year, each against the one before it where both are complete.
with

periods as (

    select
        *,
        lag(ms_played) over (partition by account, grain order by period_start) as ms_before,
        lag(is_complete) over (partition by account, grain order by period_start) as is_complete_before
    from {{ ref('int_periods') }}

)

select
    periods.account,
    periods.grain,
    periods.period_start,
    periods.period_end,
    periods.label,
    periods.plays,
    {{ minutes('periods.ms_played') }} as minutes,
    {{ minutes('periods.ms_estimated') }} as minutes_estimated,
    periods.days_listened,
    periods.is_complete,
    {{ minutes('periods.ms_before') }} as minutes_before,
    case
        when periods.is_complete and periods.is_complete_before
            then {{ change('periods.ms_played', 'periods.ms_before') }}
    end::numeric(20, 4) as change,
    {{ has_open_gap_between('accounts', 'periods.period_start', 'periods.period_end') }} as is_at_least
from periods
inner join {{ ref('dim_accounts') }} as accounts on periods.account = accounts.account
