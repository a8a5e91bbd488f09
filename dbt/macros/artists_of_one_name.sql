{# Which artist a name means: `account, name_key, artist_id` of those of `names` that exactly one polled artist goes by. #}
{% macro artists_of_one_name(names) -%}
    select
        known.account,
        known.name_key,
        min(known.artist_id) as artist_id
    from {{ ref('int_artist_names') }} as known
    where
        known.artist_id is not null
        and (known.account, known.name_key) in (
            select
                wanted.account,
                wanted.name_key
            from {{ names }} as wanted
        )
    group by known.account, known.name_key
    having count(distinct known.artist_id) = 1
{%- endmacro %}
