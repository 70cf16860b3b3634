-- The audit log is kept for as long as its setting says. Rows go from its beginning only, and
-- only after the log itself has told of it and a backup has anchored that: whoever takes rows
-- away by themselves cannot have told of it where nobody can write any more.
--
-- Of the last row that went, ops.audit_checkpoint keeps what is hashed, without what people
-- read of it, so that the first row that is left can be held against it.

create or replace function ops.audit_kept_from()
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
    -- What is deleted here is asked of nobody who calls. No setting allows less than a year.
    return clock_timestamp() - make_interval(hours => 24 * greatest(365, (
        select (value #>> '{}')::integer from ops.settings where key = 'retention.audit_days'
    )));
end
$$;

comment on function ops.audit_kept_from() is 'From when on rows of the audit log are kept, by the clock and the setting alone.';

create or replace function ops.told_audit_cut(out told_at timestamptz, out last_row bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    select log.at, substring(log.subject from '^row (\d{1,18}), [0-9a-f]{64}$')::bigint
    into told_at, last_row
    from ops.audit as log
    where log.action = 'log.cut' and log.subject ~ '^row \d{1,18}, [0-9a-f]{64}$'
    order by log.at desc, log.seq desc
    limit 1;
end
$$;

comment on function ops.told_audit_cut() is 'What the log told last about rows that would go: when, and up to which row.';

create or replace function ops.tell_audit_cut()
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_kept_from timestamptz := ops.audit_kept_from();
    v_last ops.audit;
begin
    if (select first.at from ops.audit as first order by first.seq limit 1) >= v_kept_from then
        return false;
    end if;
    -- The first rows are the oldest. What is beyond this many is told of a week later.
    select past.* into v_last
    from (select * from ops.audit order by seq limit 50000) as past
    where past.at < v_kept_from
    order by past.seq desc
    limit 1;
    if v_last.seq is null then
        return false;
    end if;
    perform ops.write_audit(
        'log.cut', null, format('row %s, %s', v_last.seq, v_last.hash),
        jsonb_build_object('keptFrom', v_kept_from)
    );
    return true;
end
$$;

comment on function ops.tell_audit_cut() is
    'Writes into the audit log up to which row it will be cut, if any row is older than it is kept; returns whether one is.';

create or replace function ops.may_cut_audit(p_told_at timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    if exists (select from ops.backups where outcome = 'done') then
        return exists (select from ops.backups where outcome = 'done' and taken_at > p_told_at);
    end if;
    return p_told_at < clock_timestamp() - interval '24 hours';
end
$$;

comment on function ops.may_cut_audit(timestamptz) is
    'Whether a backup has anchored what the log told at that time; without any backup, whether a day has passed.';

create or replace function ops.cut_audit(p_limit integer)
returns integer
language plpgsql
-- Nobody but the owner may delete here, and what may go is not for the caller to say.
security definer
set search_path = ''
as $$
declare
    v_told record;
    v_last ops.audit;
    v_rows integer;
begin
    select * into v_told from ops.told_audit_cut();
    if exists (select from ops.audit where seq <= v_told.last_row) and not ops.may_cut_audit(v_told.told_at) then
        return 0;
    end if;
    select gone.* into v_last
    from (select * from ops.audit where seq <= v_told.last_row order by seq limit p_limit) as gone
    -- The setting may have been raised since, and whoever writes into the log may tell anything.
    where gone.at < least(ops.audit_kept_from(), v_told.told_at - interval '8760 hours')
    order by gone.seq desc
    limit 1;
    if v_last.seq is null then
        -- Nothing that was told of may go any more.
        if coalesce(v_told.told_at < clock_timestamp() - interval '7 days', true) then
            perform ops.tell_audit_cut();
        end if;
        return 0;
    end if;
    delete from ops.audit_checkpoint where seq <= v_last.seq;
    insert into ops.audit_checkpoint values (v_last.*);
    delete from ops.audit_details where seq <= v_last.seq;
    delete from ops.audit where seq <= v_last.seq;
    get diagnostics v_rows = row_count;
    return v_rows;
end
$$;

comment on function ops.cut_audit(integer) is
    'Deletes a part of the rows of the audit log that are older than they are kept, the oldest first, once it was told and anchored that they go; else tells it, once a week at most. Returns how many rows it deleted.';
