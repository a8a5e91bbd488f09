-- What each rule of the seed file, and that of the setting shortest_play_seconds, would remove, whether it is in force
-- yet or not; and what is wrong with a rule.
with

rules as (

    select
        *,
        case
            when kind is null or kind not in ({{ "'" ~ exclusion_kinds() | join("', '") ~ "'" }})
                then 'kind is none of: {{ exclusion_kinds() | join(", ") }}'
            when value is null and kind != 'account' then 'value is empty'
            when kind = 'account' and value is null and account is null then 'neither account nor value names anybody'
            when kind = 'account' and value != account then 'account and value name two listeners'
            when
                coalesce(account, case when kind = 'account' then value end)
                not in (select accounts.account from {{ ref('dim_accounts') }} as accounts)
                then 'no listener of that name has a history'
            when kind = 'hour_window' and value !~ '{{ hour_window_pattern() }}'
                then 'value is no window of hours such as 23-6'
            when kind = 'shorter_than' and value !~ '{{ seconds_pattern() }}'
                then 'value is no number of seconds such as 30'
            when from_date > to_date then 'from_date is after to_date'
        end as problem
    from ({{ every_exclusion_rule() }}) as given

),

sound as (

    select * from rules
    where problem is null

),

tracks as (

    {{ tracks_of_rules('sound') }}

),

matched as (

    select
        sound.rule_id,
        plays.account,
        plays.play_id,
        plays.ms_played
    from sound
    inner join tracks on sound.rule_id = tracks.rule_id
    inner join {{ ref('fct_plays') }} as plays on {{ same_track('plays', 'tracks') }}
    where {{ rule_holds_on('sound', 'plays.played_date') }}

    union all

    select
        sound.rule_id,
        plays.account,
        plays.play_id,
        plays.ms_played
    from sound
    inner join {{ ref('fct_plays') }} as plays on {{ rule_matches_play('sound', 'plays') }}

),

removed as (

    select
        rule_id,
        account,
        count(*) as plays,
        sum(ms_played) as ms_played
    from matched
    group by rule_id, account

)

select
    coalesce(accounts.account, rules.account, '(nobody)') as account,
    rules.rule_id,
    rules.kind,
    rules.value,
    rules.from_date,
    rules.to_date,
    rules.is_active is not false as is_active,
    in_force.rule_id is not null as is_in_force,
    coalesce(removed.plays, 0) as plays,
    {{ minutes('coalesce(removed.ms_played, 0)') }} as minutes,
    rules.problem,
    rules.why
from rules
left join {{ ref('dim_accounts') }} as accounts on accounts.account = coalesce(rules.account, accounts.account)
left join {{ ref('int_exclusion_rules') }} as in_force
    on
        rules.rule_id = in_force.rule_id
        and rules.kind is not distinct from in_force.kind
        and rules.value is not distinct from in_force.value
        and rules.account is not distinct from in_force.account
        and rules.from_date is not distinct from in_force.from_date
        and rules.to_date is not distinct from in_force.to_date
left join removed on rules.rule_id = removed.rule_id and accounts.account = removed.account
