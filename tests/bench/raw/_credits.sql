, credits as (
    select plays.*, credit ->> 'id' as artist, credit ->> 'name' as name
    from plays
    cross join jsonb_array_elements(artists) as credit
)
