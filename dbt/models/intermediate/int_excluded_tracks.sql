{{
    config(
        unique_key=['account', 'track_uri', 'rule_id'],
        incremental_strategy='delete+insert',
        pre_hook="{{ delete_counted_tombstones() }}",
        post_hook="{{ index_once('track', ['account', 'track_uri']) }}"
    )
}}

/*
The tracks that rules exclude by track, artist, album or genre. News can change that: a genre is found, a credit becomes
that of an artist. A track that is no longer excluded keeps its row until a `dbt test` has passed, so that the days of
its plays are counted again; changed_in_load is the newest load that was known when it became what it is.
*/
with

found as (

    {{ tracks_of_rules(ref('int_exclusion_rules')) }}

)

{% if is_incremental() %}

    select
        coalesce(found.account, known.account) as account,
        coalesce(found.track_uri, known.track_uri) as track_uri,
        coalesce(found.rule_id, known.rule_id) as rule_id,
        found.rule_id is not null as is_excluded,
        {{ newest_load() }} as changed_in_load
    from found
    full join {{ this }} as known
        on
            found.account = known.account
            and found.track_uri = known.track_uri
            and found.rule_id = known.rule_id
    where (found.rule_id is not null) is distinct from coalesce(known.is_excluded, false)

{% else %}

    select
        account,
        track_uri,
        rule_id,
        true as is_excluded,
        {{ newest_load() }} as changed_in_load
    from found

{% endif %}
