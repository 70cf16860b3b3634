-- These functions read and compare severities.

create or replace function ops.severity_of(p_word text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case lower(p_word)
        when 'critical' then 'critical'
        when 'error' then 'high'
        when 'warning' then 'medium'
        when 'info' then 'low'
        when 'high' then 'high'
        when 'medium' then 'medium'
        when 'low' then 'low'
    end
$$;

comment on function ops.severity_of(text) is
    'Returns our severity for a word: the application''s critical, error, warning and info become critical, high, medium and low; our own words stay; any other word is null.';

create or replace function ops.severity_rank(p_severity text)
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case p_severity
        when 'critical' then 4
        when 'high' then 3
        when 'medium' then 2
        when 'low' then 1
    end
$$;

comment on function ops.severity_rank(text) is
    'Returns how bad a severity is, from 4 for critical down to 1 for low, to compare and to order.';
