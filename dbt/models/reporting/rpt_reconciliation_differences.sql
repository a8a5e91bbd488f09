-- By how much the polled plays end after those of the export that are the same (less than nothing: before). Where pairs
-- pile up at the window's edge, it is too short; where the outer steps are empty, it could be shorter.
with

months as (

    select * from {{ ref('int_reconciliation_months') }}
    where pairs_by_difference is not null

),

steps as (

    {% for step in difference_steps() %}
        select
            {{ loop.index }}::bigint as step,
            '{{ step.name }}' as difference
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        months.account,
        counts.step,
        sum(counts.pairs)::bigint as pairs
    from months
    cross join unnest(months.pairs_by_difference) with ordinality as counts (pairs, step)
    group by months.account, counts.step

)

select
    counted.account,
    counted.step,
    steps.difference,
    counted.pairs,
    round(counted.pairs / sum(counted.pairs) over (partition by counted.account), 4)::numeric(5, 4) as share_of_pairs
from counted
inner join steps on counted.step = steps.step
