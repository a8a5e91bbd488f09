{# Artists, and names of artists, that news credit. #}
{% macro news_artists() -%}
    select
        names.account,
        names.artist_key
    from {{ ref('int_artist_names') }} as names
    where names.{{ is_news() }}
    union
    select
        names.account,
        names.name_key as artist_key
    from {{ ref('int_artist_names') }} as names
    where names.{{ is_news() }}
{%- endmacro %}

{# Before they are put in anew, in the same transaction: take out what they were. #}
{% macro delete_news_artists() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using ({{ news_artists() }}) as news
        where built.account = news.account and built.artist_key = news.artist_key
    {% endif %}
{%- endmacro %}
