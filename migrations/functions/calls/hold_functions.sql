-- No call runs half with the functions of one release and half with those of another.
--
-- Every public function that writes begins with a call of this function. It holds a lock
-- shared, which the exchange of the function set takes alone. PostgreSQL loads the body of a
-- caller before the caller has the lock, so the migrator writes the hash of the whole set
-- into each of these calls, and a body that was loaded before an exchange is refused. Such
-- a call has changed nothing and may be repeated.

create or replace function ops.hold_functions(p_set text default null)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- The key consists of the bytes of `pourtset`.
    perform pg_advisory_xact_lock_shared(8101823389103252852);
    if p_set <> (select newest.sha256 from ops.function_sets as newest order by newest.id desc limit 1) then
        raise exception using
            errcode = 'PT503',
            message = 'the functions were exchanged while this call waited; nothing was changed',
            hint = 'Call again.';
    end if;
end
$$;

comment on function ops.hold_functions(text) is
    'Keeps the function set as it is until the transaction ends. It refuses a caller whose body belongs to another set with status 503. Without an argument it compares nothing.';
