{{ config(materialized='table') }}

-- The rules that count. A copy of the seed file and the setting, made with everything else: what a changed file would
-- remove can be looked at (rpt_exclusion_rules) before anything is counted by it.
select
    rule_id,
    account,
    kind,
    value,
    from_date,
    to_date
from ({{ every_exclusion_rule() }}) as rules
where is_active is not false
