-- Places that a probe can reach: hosts, addresses and URLs. The function that probes reads
-- them with its own parser, so that what is admitted here is no more than what that parser
-- admits; a test compares the two.

create or replace function ops.is_ipv4(p_text text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select p_text ~ '^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$'
$$;

comment on function ops.is_ipv4(text) is
    'Whether a text is an IPv4 address: four numbers up to 255, without leading zeros.';

create or replace function ops.is_ipv6(p_text text)
returns boolean
language plpgsql
immutable
returns null on null input
parallel safe
set search_path = ''
as $$
declare
    -- Two colons, at most once, stand for one group of zeros or more.
    v_halves text[] := string_to_array(p_text, '::');
    v_groups text[] := '{}'::text[];
    v_half text;
    v_count integer;
begin
    if p_text !~ ':' or cardinality(v_halves) > 2 then
        return false;
    end if;
    foreach v_half in array v_halves loop
        if v_half <> '' then
            v_groups := v_groups || string_to_array(v_half, ':');
        end if;
    end loop;
    v_count := cardinality(v_groups);
    -- The last two groups may be written as an IPv4 address.
    if v_half <> '' and ops.is_ipv4(v_groups[v_count]) then
        v_groups := v_groups[:v_count - 1] || '{0,0}'::text[];
        v_count := v_count + 1;
    end if;
    return v_count <= 9 - cardinality(v_halves)
        and (v_count = 8 or cardinality(v_halves) = 2)
        and not exists (select from unnest(v_groups) as part where part !~ '^[0-9A-Fa-f]{1,4}$');
end
$$;

comment on function ops.is_ipv6(text) is 'Whether a text is an IPv6 address, without brackets and zone.';

create or replace function ops.read_punycode(p_text text)
returns integer[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_hyphen integer := length(p_text) - position('-' in reverse(p_text)) + 1;
    v_found integer[] := '{}'::integer[];
    v_rest text := p_text;
    v_next bigint := 128;
    v_bias integer := 72;
    v_at bigint := 0;
    v_before bigint;
    v_weight bigint;
    v_base integer;
    v_digit integer;
    v_threshold integer;
    v_delta bigint;
begin
    -- What stands before the last hyphen stands for itself.
    if p_text ~ '-' then
        v_found := array(
            select ascii(sign) from regexp_split_to_table(left(p_text, v_hyphen - 1), '') as sign where sign <> ''
        );
        v_rest := substr(p_text, v_hyphen + 1);
    end if;
    while v_rest <> '' loop
        v_before := v_at;
        v_weight := 1;
        v_base := 36;
        loop
            v_digit := position(left(v_rest, 1) in 'abcdefghijklmnopqrstuvwxyz0123456789') - 1;
            if v_rest = '' or v_digit < 0 then
                return null;
            end if;
            v_rest := substr(v_rest, 2);
            v_at := v_at + v_digit * v_weight;
            v_threshold := greatest(1, least(26, v_base - v_bias));
            exit when v_digit < v_threshold;
            v_weight := v_weight * (36 - v_threshold);
            v_base := v_base + 36;
            if v_at > 2147483647 or v_weight > 2147483647 then
                return null;
            end if;
        end loop;

        v_delta := (v_at - v_before) / case v_before when 0 then 700 else 2 end;
        v_delta := v_delta + v_delta / (cardinality(v_found) + 1);
        v_base := 0;
        while v_delta > 455 loop
            v_delta := v_delta / 35;
            v_base := v_base + 36;
        end loop;
        v_bias := v_base + 36 * v_delta / (v_delta + 38);

        v_next := v_next + v_at / (cardinality(v_found) + 1);
        v_at := v_at % (cardinality(v_found) + 1);
        if v_next > 1114111 then
            return null;
        end if;
        v_found := v_found[:v_at] || v_next::integer || v_found[v_at + 1:];
        v_at := v_at + 1;
    end loop;
    return v_found;
end
$$;

comment on function ops.read_punycode(text) is
    'The characters that a label in Punycode (RFC 3492, without xn--, in lower case) stands for, as numbers; null if it stands for none.';

create or replace function ops.is_international_label(p_label text)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_signs integer[] := ops.read_punycode(substr(lower(p_label), 5));
begin
    return p_label !~* '^xn---'
        and coalesce(128 <= any (v_signs), false)
        and not exists (
            select
            from unnest(v_signs) as sign
            -- Letters that are as they are in every name: no capitals, which stand for small
            -- letters, and no signs whose place matters.
            where not (
                sign < 128
                or sign between 223 and 255 and sign <> 247
                or sign between 257 and 311 and sign % 2 = 1 and sign <> 307
                or sign between 314 and 328 and sign % 2 = 0 and sign <> 320
                or sign between 331 and 375 and sign % 2 = 1
                or sign in (378, 380, 382, 12540)
                or sign between 940 and 974
                or sign between 1072 and 1119
                or sign between 12353 and 12438
                or sign between 12449 and 12538
                or sign between 19968 and 40943
                or sign between 44032 and 55203
            )
        );
end
$$;

comment on function ops.is_international_label(text) is
    'Whether a label of a host that begins with xn-- stands for letters of a European, Japanese, Chinese or Korean script.';

create or replace function ops.is_host_name(p_text text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select length(p_text) between 1 and 253
        and p_text ~* '^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$'
        -- What ends in a number has to be an address.
        and p_text !~* '(^|\.)(\d+|0x[0-9a-f]*)$'
        and not exists (
            select
            from string_to_table(p_text, '.') as label
            where label ~* '^xn--' and not ops.is_international_label(label)
        )
$$;

comment on function ops.is_host_name(text) is
    'Whether a text is the name of a host: labels of letters, digits, hyphens and underscores; one in other scripts is written in its form with xn--.';

create or replace function ops.is_host(p_text text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ops.is_host_name(p_text) or ops.is_ipv4(p_text) or ops.is_ipv6(p_text)
$$;

comment on function ops.is_host(text) is 'Whether a text is the name or the address of a host.';

create or replace function ops.is_url(p_value jsonb, p_everywhere boolean)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    -- Whatever else a URL holds is written with % and two digits.
    v_parts text[] := regexp_match(
        p_value #>> '{}',
        '^(https?)://(?:\[([^\]]*)\]|([^:/?#]+))(?::([1-9]\d{0,4}))?(?:[/?#][A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%-]*)?$'
    );
    v_plain boolean := v_parts[1] = 'http';
begin
    return coalesce(
        ops.is_text(p_value, 1000, '')
            and coalesce(ops.is_ipv6(v_parts[2]), ops.is_host_name(v_parts[3]) or ops.is_ipv4(v_parts[3]))
            and coalesce(v_parts[4]::integer <= 65535, true)
            and (
                p_everywhere
                or not v_plain
                or v_parts[2] = '::1'
                or lower(v_parts[3]) = 'localhost'
                or v_parts[3] ~ '^127\.' and ops.is_ipv4(v_parts[3])
            ),
        false
    );
end
$$;

comment on function ops.is_url(jsonb, boolean) is
    'Whether a value is a URL that can be probed, of at most 1000 characters, without user and password. One with http:// leads to this machine, unless it may lead everywhere.';
