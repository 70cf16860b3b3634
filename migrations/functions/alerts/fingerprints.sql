-- A fingerprint is the identity of an alert. Two messages of the application that differ
-- only in numbers and names are the same event, so they get the same fingerprint.

create or replace function ops.normalise_message(p_message text)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    -- The first pass puts # for quoted strings, URLs, paths, uuids, long hex words and
    -- numbers; \Y means "not after a letter", so that "can't" opens no quotation. The
    -- second pass collapses blanks. The input is cut first, so that a page of text costs
    -- no more than a line.
    return left(btrim(regexp_replace(
        regexp_replace(
            lower(left(p_message, 1000)),
            '"[^"]*"|\Y''[^'']*''|`[^`]*`'
            '|[a-z][a-z0-9+.-]*://\S+|\Y/[^\s/]\S*'
            '|\m[0-9a-f]{8,}(-[0-9a-f]{4,})*\M'
            '|\d+(\.\d+)*',
            '#', 'g'
        ),
        '\s{2,}|[\n\r\t]', ' ', 'g'
    )), 200);
end
$$;

comment on function ops.normalise_message(text) is
    'Returns a message without what differs between two occurrences of one error: in lower case, with # for quoted strings, URLs, paths, uuids, hex words and numbers, with single blanks, cut to 200 characters.';

create or replace function ops.message_key(p_message text)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return md5(ops.normalise_message(p_message));
end
$$;

comment on function ops.message_key(text) is
    'Returns the hash of a normalised message. Fingerprints contain the hash, because they never contain text of a message.';
