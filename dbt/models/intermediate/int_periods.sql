{{ config(materialized='view') }}

-- Every ISO week, month, quarter and year of a history, those without a play too.
with

days as not materialized (

    select * from {{ ref('int_calendar_days') }}

),

periods as (

    {% for grain, length in (
        ('week', '1 week'), ('month', '1 month'), ('quarter', '3 months'), ('year', '1 year')
    ) %}
        select
            account,
            '{{ grain }}' as grain,
            {{ grain }}_start as period_start,
            ({{ grain }}_start + interval '{{ length }}')::date - 1 as period_end,
            min(first_played_date) as first_played_date,
            min(today) as today,
            sum(plays)::bigint as plays,
            sum(ms_played)::bigint as ms_played,
            sum(ms_estimated)::bigint as ms_estimated,
            count(*) filter (where plays > 0) as days_listened
        from days
        group by account, {{ grain }}_start
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    *,
    case grain
        when 'week' then to_char(period_start, 'IYYY-"W"IW')
        when 'month' then to_char(period_start, 'YYYY-MM')
        when 'quarter' then to_char(period_start, 'YYYY-"Q"Q')
        else to_char(period_start, 'YYYY')
    end as label,
    period_start >= first_played_date and period_end < today as is_complete
from periods
