{{ config(tags=['daily']) }}

-- `select rule_id, problem from reporting.rpt_exclusion_rules` tells what is wrong; such a rule removes nothing.
-- (Whom a rule names may have heard nothing yet.)
select
    rule_id,
    problem
from {{ ref('rpt_exclusion_rules') }}
where problem is not null and problem != 'no listener of that name has a history'
