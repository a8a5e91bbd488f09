{{ config(materialized='view') }}

-- The accounts in the ledger, each found by one look into its index, however long the ledger is.
with recursive

every_account as (

    select min(polls.account) as account
    from {{ ref('stg_spotify__polls') }} as polls
    union all
    select (
        select min(polls.account)
        from {{ ref('stg_spotify__polls') }} as polls
        where polls.account > every_account.account
    ) as account
    from every_account
    where every_account.account is not null

)

select account from every_account
where account is not null
