-- Lists in any order, searches in a brand's own language, and the walk of an export.

-- An order of a list is a walk along an index that begins with tenant and brand.
create index content_items_updated
    on public.content_items (tenant_id, brand_id, updated_at desc, id desc) where deleted_at is null;
create index content_items_title
    on public.content_items (tenant_id, brand_id, title collate "C", id) where deleted_at is null;
create index content_items_scheduled
    on public.content_items (tenant_id, brand_id, scheduled_at, id) where deleted_at is null;
-- Under a filter by type and status the list is merged from its kinds, so that a rare one is found
-- as fast as a common one.
create index content_items_kind
    on public.content_items (tenant_id, brand_id, content_type, status, created_at desc, id desc)
    where deleted_at is null;
create index content_items_campaign
    on public.content_items (tenant_id, campaign_space_id, created_at desc, id desc)
    where campaign_space_id is not null and deleted_at is null;

-- A document is found in the language in which its words were taken apart. English ones, which all
-- were before this migration, carry no mark; others carry their language as a lexeme of their own.
alter table engarde.content_search add column config text not null default 'english';

-- The languages other than English that a brand's documents were ever indexed in.
create table engarde.search_languages (
    tenant_id varchar(36) not null,
    brand_id varchar(36) not null,
    config text not null check (config <> 'english'),
    primary key (tenant_id, brand_id, config)
);
alter table engarde.search_languages owner to engarde_owner;
alter table engarde.search_languages enable row level security;
alter table engarde.search_languages force row level security;
create policy tenant_guard on engarde.search_languages as restrictive to engarde_api
    using (tenant_id = current_setting('app.tenant_id', true))
    with check (tenant_id = current_setting('app.tenant_id', true));
create policy daemon_access on engarde.search_languages to engarde_owner, engarde_api, engarde_actor
    using (true) with check (true);
grant select, insert, update, delete on engarde.search_languages to engarde_actor, engarde_owner;

-- The text search configuration for a brand's voice (RFC 5646): English where there is none, no
-- stemming where PostgreSQL does not know the language.
create function engarde.search_config_v1(tenant text, brand text) returns text
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    tag text := (select lower(split_part(v.profile ->> 'language', '-', 1)) from engarde.brand_voices v
                 where v.tenant_id = tenant and v.brand_id = brand);
begin
    if tag is null or tag = 'en' then
        return 'english';
    end if;
    return coalesce((
        select c.cfgname from pg_ts_config c
        where c.cfgnamespace = 'pg_catalog'::regnamespace and c.cfgname = (case tag
            when 'ar' then 'arabic' when 'ca' then 'catalan' when 'da' then 'danish' when 'de' then 'german'
            when 'el' then 'greek' when 'es' then 'spanish' when 'et' then 'estonian' when 'eu' then 'basque'
            when 'fi' then 'finnish' when 'fr' then 'french' when 'ga' then 'irish' when 'hi' then 'hindi'
            when 'hu' then 'hungarian' when 'hy' then 'armenian' when 'id' then 'indonesian'
            when 'it' then 'italian' when 'lt' then 'lithuanian' when 'nb' then 'norwegian'
            when 'ne' then 'nepali' when 'nl' then 'dutch' when 'nn' then 'norwegian' when 'no' then 'norwegian'
            when 'pt' then 'portuguese' when 'ro' then 'romanian' when 'ru' then 'russian'
            when 'sr' then 'serbian' when 'sv' then 'swedish' when 'ta' then 'tamil' when 'tr' then 'turkish'
            when 'yi' then 'yiddish' end)), 'simple');
end $$;

-- A lexeme that no text can hold, since words never start with an at sign: `b` a brand, `t` a tag,
-- `l` a language.
create function engarde.search_mark_v1(kind text, value text) returns text
language plpgsql immutable strict set search_path = pg_catalog as $$
begin
    return '@' || kind || ':' || lower(left(value, 100));
end $$;

create function engarde.search_lexeme_v1(lexeme text, suffix text default '') returns tsquery
language plpgsql immutable strict set search_path = pg_catalog as $$
begin
    return ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''' || suffix)::tsquery;
end $$;

-- What 0005 indexed, in any language. The words of the body weigh least (D), so that `ts_filter` can
-- take them over when only the title or the tags of an item changed.
create function engarde.search_document_v2(config text, brand text, title text, tags text[], body_words tsvector)
returns tsvector language plpgsql immutable set search_path = pg_catalog as $$
declare
    marks text[] := array[engarde.search_mark_v1('b', brand)];
begin
    if config <> 'english' then
        marks := marks || engarde.search_mark_v1('l', config);
    end if;
    marks := marks || array(select engarde.search_mark_v1('t', t) from unnest(tags) t);
    return array_to_tsvector(marks)
        || setweight(to_tsvector(config::regconfig, title), 'A')
        || setweight(to_tsvector(config::regconfig, coalesce(array_to_string(tags, ' '), '')), 'B')
        || coalesce(body_words, '');
end $$;

-- One term of what somebody said: a word, a phrase, or the beginning of words. The index holds stems,
-- so a beginning is also looked for as the word it may be already ("dancing" is indexed as "danc").
create function engarde.search_term_v1(config regconfig, kind text, said text) returns tsquery
language plpgsql immutable set search_path = pg_catalog as $$
begin
    return case kind
        when 'phrase' then phraseto_tsquery(config, said)
        when 'prefix' then engarde.search_lexeme_v1(lower(said), ':*') || plainto_tsquery(config, said)
        else plainto_tsquery(config, said) end;
end $$;

-- What somebody said as a query in one language: alternatives of terms, each term an array of kind,
-- text and whether it must be absent. Words too common to be indexed count as not said; null when
-- nothing is left.
create function engarde.search_said_v1(config text, said jsonb) returns tsquery
language plpgsql immutable set search_path = pg_catalog as $$
declare
    alternative jsonb;
    term jsonb;
    one tsquery;
    part tsquery;
    whole tsquery;
begin
    for alternative in select * from jsonb_array_elements(said) loop
        part := null;
        for term in select * from jsonb_array_elements(alternative) loop
            one := engarde.search_term_v1(config::regconfig, term ->> 0, term ->> 1);
            if numnode(one) > 0 then
                one := case when (term ->> 2)::boolean then !!one else one end;
                part := coalesce(part && one, one);
            end if;
        end loop;
        whole := coalesce(whole || part, whole, part);
    end loop;
    return whole;
end $$;

-- What to look for. `sought` reaches the index: the brand, its tags, and what was said in each
-- language that the brand's documents are in. `words` is what was said alone, for ranks and marks.
create function engarde.search_query_v2(tenant text, brand text, said jsonb, tags text[],
    out sought tsquery, out words tsquery)
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    here tsquery := engarde.search_said_v1('english', said);
    found_in tsquery;
    tag text;
    config text;
begin
    sought := engarde.search_lexeme_v1(engarde.search_mark_v1('b', brand));
    foreach tag in array coalesce(tags, '{}') loop
        sought := sought && engarde.search_lexeme_v1(engarde.search_mark_v1('t', tag));
    end loop;
    if said is null then
        return;
    end if;
    words := here;
    found_in := here;
    for config in
        select s.config from engarde.search_languages s where s.tenant_id = tenant and s.brand_id = brand
        union select c from engarde.search_config_v1(tenant, brand) c where c <> 'english'
    loop
        here := engarde.search_said_v1(config, said);
        words := coalesce(words || here, words, here);
        here := engarde.search_lexeme_v1(engarde.search_mark_v1('l', config)) && here;
        found_in := found_in && !!engarde.search_lexeme_v1(engarde.search_mark_v1('l', config));
        found_in := coalesce(found_in || here, found_in, here);
    end loop;
    sought := sought && coalesce(found_in, engarde.search_lexeme_v1('@none'));
end $$;

-- What a version is found under. When its body is not at hand, the words of the body stay as they
-- are indexed, and with them the language of the whole document. Beyond 100,000 characters a body is
-- not indexed: PostgreSQL bounds a tsvector at 1 MB.
create function engarde.search_entry_v1(v engarde.content_versions, body text, indexed engarde.content_search,
    out config text, out document tsvector)
language plpgsql stable set search_path = pg_catalog as $$
begin
    config := case when body is null and indexed.config is not null then indexed.config
                   else engarde.search_config_v1(v.tenant_id, v.brand_id) end;
    document := engarde.search_document_v2(config, v.brand_id, v.title, engarde.search_tags_v1(v.details),
        coalesce(to_tsvector(config::regconfig, left(body, 100000)), ts_filter(indexed.document, '{d}')));
end $$;

-- What was written a moment ago and is not indexed yet, as it stands: a writer finds at once what it
-- wrote. The newest 200 of a tenant where words are sought; tags cost little, so they are seen in more.
create function engarde.search_fresh_v1(tenant text, has_words boolean) returns table (content_id text, document tsvector)
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return query
    select p.content_id::text, e.document
    from (
        select distinct on (o.content_id) o.content_id, o.version
        from (select * from engarde.outbox b
              where b.tenant_id = tenant and b.destination = 'search'
              order by b.id desc limit case when has_words then 200 else 4000 end) o
        order by o.content_id, o.version desc
    ) p
    join engarde.content_versions v
      on v.tenant_id = tenant and v.content_id = p.content_id and v.version = p.version
    left join engarde.staged_bodies s on has_words
      and s.tenant_id = tenant and s.content_id = p.content_id and s.version = v.body_version
    left join engarde.content_search d
      on d.tenant_id = tenant and d.content_id = p.content_id
    cross join lateral engarde.search_entry_v1(v, s.body, d) e;
end $$;

-- At most `most + 1` hits, for words or for tags alone; with `words` each with its rank, by cover density: terms that stand close
-- together count most. The brand in `sought` is nobody else's, so the tenant is compared beside the
-- index: it finds the fewest by the words, and one plan fits every search.
create function engarde.search_hits_v1(tenant text, sought tsquery, words tsquery, has_words boolean, most integer)
returns table (content_id text, rank real)
language plpgsql stable security definer set search_path = pg_catalog set plan_cache_mode = force_generic_plan as $$
begin
    return query
    with fresh as materialized (
        select * from engarde.search_fresh_v1(tenant, has_words)
    ), indexed as (
        select d.content_id::text, d.document from engarde.content_search d
        where d.tenant_id || '' = tenant and d.document @@ sought
          and not exists (select from fresh f where f.content_id = d.content_id)
        limit most + 1
    )
    select h.content_id, case when words is null then 0 else ts_rank_cd(h.document, words) end
    from (select * from fresh f where f.document @@ sought union all select * from indexed) h;
end $$;

-- The ranks of items that were found otherwise.
create function engarde.search_ranks_v1(tenant text, contents text[], words tsquery)
returns table (content_id text, rank real)
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return query
    with fresh as materialized (
        select * from engarde.search_fresh_v1(tenant, true) f where f.content_id = any (contents)
    )
    select w.content_id, coalesce(ts_rank_cd(coalesce(f.document, d.document), words), 0)
    from unnest(contents) w (content_id)
    left join fresh f using (content_id)
    left join engarde.content_search d on d.tenant_id = tenant and d.content_id = w.content_id::varchar;
end $$;

create function engarde.is_hit_v2(tenant text, content text, sought tsquery) returns boolean
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return exists (select from engarde.content_search d
                   where d.tenant_id = tenant and d.content_id = content and d.document @@ sought);
end $$;

-- The places of a text that fit, between \x02 and \x03, which the text itself loses; of a short one
-- all of it.
create function engarde.search_marks_v1(tenant text, brand text, said jsonb, texts text[])
returns table (slot integer, marked text)
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    config regconfig := engarde.search_config_v1(tenant, brand)::regconfig;
    words tsquery := (engarde.search_query_v2(tenant, brand, said, null)).words;
begin
    return query
    select t.ordinality::integer,
        ts_headline(config, translate(t.text, E'\x02\x03', ''), words, E'StartSel=\x02,StopSel=\x03,' || case
            when length(t.text) <= 200 then 'HighlightAll=true'
            else 'MaxFragments=2,MaxWords=24,MinWords=8,ShortWord=0,FragmentDelimiter=" … "' end)
    from unnest(texts) with ordinality t (text);
end $$;

-- Bring these versions of the outbox into the index; an older one never replaces a newer one.
create function engarde.index_versions_v2(tenants text[], contents text[], wanted integer[], with_bodies boolean)
returns void language sql set search_path = pg_catalog as $$
    with entries as materialized (
        select v.tenant_id, v.brand_id, v.content_id, v.version, e.config, e.document
        from (
            select distinct on (t, i) t, i, n from unnest(tenants, contents, wanted) x (t, i, n)
            order by t, i, n desc
        ) w
        join engarde.content_versions v on v.tenant_id = w.t and v.content_id = w.i and v.version = w.n
        left join engarde.staged_bodies s on with_bodies
          and s.tenant_id = v.tenant_id and s.content_id = v.content_id and s.version = v.body_version
        left join engarde.content_search d on d.tenant_id = v.tenant_id and d.content_id = v.content_id
        cross join lateral engarde.search_entry_v1(v, s.body, d) e
    ), languages as (
        insert into engarde.search_languages (tenant_id, brand_id, config)
        select distinct e.tenant_id, e.brand_id, e.config from entries e where e.config <> 'english'
        on conflict do nothing
    )
    insert into engarde.content_search as c (tenant_id, content_id, version, config, document)
    select e.tenant_id, e.content_id, e.version, e.config, e.document
    from entries e order by e.tenant_id, e.content_id
    on conflict (tenant_id, content_id) do update
    set version = excluded.version, config = excluded.config, document = excluded.document
    where c.version < excluded.version
$$;

-- Take the oldest unindexed versions into the full-text index. Claim, work and acknowledgement are
-- one transaction, so nothing needs a lease. A text that cannot be indexed is indexed without its
-- words rather than holding up the others.
create function engarde.index_pending_v2(most integer) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    ids bigint[];
    tokens integer[];
    tenants text[];
    contents text[];
    versions integer[];
begin
    select array_agg(p.id), array_agg(p.lease_token), array_agg(p.tenant_id), array_agg(p.content_id),
           array_agg(p.version)
    into ids, tokens, tenants, contents, versions
    from (select * from engarde.outbox o where o.destination = 'search'
          order by o.id limit most for update skip locked) p;
    if ids is null then
        return 0;
    end if;
    begin
        perform engarde.index_versions_v2(tenants, contents, versions, true);
    exception when program_limit_exceeded then
        perform engarde.index_versions_v2(tenants, contents, versions, false);
    end;
    perform engarde.settle_outbox_v1(ids, tokens);
    return cardinality(ids);
end $$;

-- A question for a page. `after_key`, `after_at` and `after_id` are where it starts: what the last
-- item before it was sorted by, as far as the sort uses it, and its id.
create type engarde.list_question as (
    tenant text,
    brand text,
    types text[],
    statuses text[],
    campaign text,
    since timestamp,
    until timestamp,
    said jsonb,
    tags text[],
    sort text,
    after_key text,
    after_at timestamp,
    after_id text,
    size integer,
    skip integer,
    cap integer
);

-- What an item must be, as conditions on `i`: only those that are asked for, so that the plan is
-- made for them. In all that follows $1 is the question and $2 what a search seeks.
create function engarde.list_conditions_v1(q engarde.list_question, walks boolean) returns text
language plpgsql immutable set search_path = pg_catalog as $$
begin
    return concat_ws(' and ', 'i.tenant_id = ($1).tenant', 'i.brand_id = ($1).brand', 'i.deleted_at is null',
        case when q.types is not null then 'i.content_type = any (($1).types)' end,
        case when q.statuses is not null then 'i.status = any (($1).statuses)' end,
        case when q.campaign is not null then 'i.campaign_space_id = ($1).campaign' end,
        case when q.since is not null then 'i.created_at >= ($1).since' end,
        case when q.until is not null then 'i.created_at <= ($1).until' end,
        case when walks then 'engarde.is_hit_v2(($1).tenant, i.id, $2)' end);
end $$;

-- How a list is sorted, and which items lie beyond the place where the page starts. What has no
-- schedule comes last, whichever way.
create function engarde.list_sort_v1(q engarde.list_question, out ordering text, out beyond text)
language plpgsql immutable set search_path = pg_catalog as $$
declare
    way text := case when q.sort like '-%' then 'desc' else 'asc' end;
    sign text := case when q.sort like '-%' then '<' else '>' end;
    start text := '($1).after_at';
    key text;
begin
    case ltrim(q.sort, '-')
        when 'relevance' then
            ordering := 'i.rank desc, i.created_at desc, i.id desc';
            beyond := '(i.rank, i.created_at, i.id) < (($1).after_key::real, ($1).after_at, ($1).after_id::varchar)';
            return;
        when 'title' then
            key := 'i.title collate "C"';
            start := '($1).after_key';
        else
            key := format('i.%I', ltrim(q.sort, '-'));
    end case;
    ordering := format('%s %s nulls last, i.id %2$s', key, way);
    beyond := case
        when q.sort like '%scheduled_at' and q.after_at is null
        then format('(i.scheduled_at is null and i.id %s ($1).after_id::varchar)', sign)
        else format('(%s, i.id) %s (%s, ($1).after_id::varchar)', key, sign, start) end;
end $$;

-- A page of the hits of a search, which are few enough to be looked up: $3 and $4 are their ids and
-- ranks. What they are sorted by is read first, the items themselves only for the page.
create function engarde.list_hits_v1(q engarde.list_question, ids text[], ranks real[], more boolean)
returns table (total bigint, item engarde.item, rank real)
language plpgsql as $$
declare
    sort record := engarde.list_sort_v1(q);
begin
    return query execute format(
        'with matched as materialized ('
        '    select i.id, i.title, i.created_at, i.updated_at, i.scheduled_at, h.rank'
        '    from unnest($3, $4) h (id, rank) join public.content_items i on i.id = h.id::varchar where %s'
        '), page as materialized ('
        '    select i.*, row_number() over (order by %s) as place from matched i where %s'
        '    order by place limit ($1).size offset ($1).skip'
        ') '
        'select c.n, case when i.id is not null then engarde.item_of(i) end, p.rank'
        ' from (select count(*) + $5::integer as n from matched) c left join page p on true'
        ' left join public.content_items i on i.tenant_id = ($1).tenant and i.id = p.id'
        ' order by p.place',
        engarde.list_conditions_v1(q, false), sort.ordering,
        case when q.after_id is null then 'true'
             when q.sort like '%scheduled_at' and q.after_at is not null
             then sort.beyond || ' or i.scheduled_at is null'
             else sort.beyond end)
        using q, null::tsquery, ids, ranks, more;
end $$;

-- The newest hits, where there are more than can be ranked. Where they are even too many to be
-- looked up, the newest items are looked at instead, as many as can be without anyone waiting for it.
create function engarde.list_newest_hits_v1(q engarde.list_question, sought tsquery) returns text[]
language plpgsql as $$
declare
    candidates text[] := array(select h.content_id from engarde.search_hits_v1(q.tenant, sought, null, true, 10000) h);
    newest text[];
begin
    execute format(
        case when cardinality(candidates) > 10000 then
            'select array(select n.id from (select i.id from public.content_items i where %s'
            ' order by i.created_at desc, i.id desc limit 20000) n'
            ' where engarde.is_hit_v2(($1).tenant, n.id, $2) limit ($1).cap)'
        else
            'select array(select i.id from public.content_items i where i.id = any ($3) and %s'
            ' order by i.created_at desc, i.id desc limit ($1).cap)' end,
        engarde.list_conditions_v1(q, false)) into newest using q, sought, candidates;
    return newest;
end $$;

-- A page of a list that is walked in its own order. Under a filter by type and status alone it is
-- merged from its kinds; by schedule it is what has one and then what has none; and a search with
-- too many hits looks at each item, which finds a page soon just because hits are many.
create function engarde.list_walk_v1(q engarde.list_question, sought tsquery, hits bigint)
returns table (total bigint, item engarde.item, rank real)
language plpgsql as $$
declare
    sort record := engarde.list_sort_v1(q);
    -- Without this the indexes, which know no place for nulls, would not be walked.
    walked text := replace(sort.ordering, ' nulls last', '');
    wanted text := 'select i from public.content_items i where '
                   || engarde.list_conditions_v1(q, sought is not null);
    start text := case when q.after_id is null then 'true' else sort.beyond end;
    unscheduled text := case when q.after_at is null then start else 'true' end;
    first text := ' limit ($1).size + ($1).skip';
    source text := concat(wanted, ' and ', start, ' order by ', walked, first);
begin
    if q.sort like '%scheduled_at' then
        source := concat('(', wanted, ' and i.scheduled_at is not null and ',
            case when q.after_at is null and q.after_id is not null then 'false' else start end,
            ' order by ', walked, first, ') union all (', wanted, ' and i.scheduled_at is null and ', unscheduled,
            case when q.sort like '-%' then ' order by i.id desc' else ' order by i.id' end, first, ')');
    elsif q.sort like '%created_at' and (q.types is not null or q.statuses is not null)
          and sought is null and q.campaign is null then
        source := concat('select k.i from engarde.content_counts c cross join lateral (',
            wanted, ' and i.content_type = c.content_type and i.status = c.status and ', start,
            ' order by ', walked, first, ') k',
            ' where c.tenant_id = ($1).tenant and c.brand_id = ($1).brand and c.items > 0',
            ' and (($1).types is null or c.content_type = any (($1).types))',
            ' and (($1).statuses is null or c.status = any (($1).statuses))');
    end if;
    return query execute format(
        'select $3, engarde.item_of(s.i), null::real from (%s) s order by %s limit ($1).size offset ($1).skip',
        source, replace(sort.ordering, 'i.', '(s.i).'))
        using q, sought, hits;
    if not found then
        return query select hits, null::engarde.item, null::real;
    end if;
end $$;

-- How many items a list has: exactly where counters know it, else up to `cap`, then `cap + 1`.
create function engarde.list_total_v1(q engarde.list_question) returns bigint
language plpgsql as $$
declare
    hits bigint;
begin
    if q.campaign is null and q.since is null and q.until is null then
        return (select coalesce(sum(c.items), 0) from engarde.content_counts c
                where c.tenant_id = q.tenant and c.brand_id = q.brand
                  and (q.types is null or c.content_type = any (q.types))
                  and (q.statuses is null or c.status = any (q.statuses)));
    end if;
    execute format('select count(*) from (select from public.content_items i where %s limit ($1).cap + 1) n',
        engarde.list_conditions_v1(q, false)) into hits using q;
    return hits;
end $$;

-- A page under filters, in any order. With words or tags the full-text index names the hits, as long
-- as they are few.
create function engarde.list_items_v1(question jsonb)
returns table (total bigint, item engarde.item, rank real)
language plpgsql as $$
declare
    q engarde.list_question := jsonb_populate_record(null::engarde.list_question, question);
    ranked boolean := q.sort = 'relevance';
    most integer := case when ranked then q.cap else 10000 end;
    sought tsquery;
    words tsquery;
    ids text[];
    ranks real[];
    more boolean;
begin
    perform set_config('app.tenant_id', q.tenant, true);
    if q.said is null and q.tags is null then
        return query select * from engarde.list_walk_v1(q, null, engarde.list_total_v1(q));
        return;
    end if;
    select s.sought, s.words into sought, words from engarde.search_query_v2(q.tenant, q.brand, q.said, q.tags) s;
    select array_agg(h.content_id), array_agg(h.rank) into ids, ranks
    from engarde.search_hits_v1(
        q.tenant, sought, case when ranked then words end, q.said is not null, most) h;
    more := cardinality(ids) > most;
    if more and not ranked then
        return query select * from engarde.list_walk_v1(q, sought, q.cap + 1::bigint);
        return;
    end if;
    if more then
        ids := engarde.list_newest_hits_v1(q, sought);
        select array_agg(r.content_id), array_agg(r.rank) into ids, ranks
        from engarde.search_ranks_v1(q.tenant, ids, words) r;
    end if;
    return query select * from engarde.list_hits_v1(q, coalesce(ids, '{}'), coalesce(ranks, '{}'), coalesce(more, false));
end $$;

-- The next items of a brand for an export, oldest first, up to the moment at which it began.
create function engarde.export_page_v1(tenant text, brand text, after_at timestamp, after_id text, until timestamp,
                                       size integer)
returns setof engarde.item
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select (engarde.item_of(i)).* from public.content_items i
    where i.tenant_id = tenant and i.brand_id = brand and i.deleted_at is null and i.created_at <= until
      and (i.created_at, i.id) > (coalesce(after_at, '-infinity'), coalesce(after_id, '')::varchar)
    order by i.created_at, i.id limit size;
end $$;

create function engarde.place_of_v1(tenant text, content text) returns table (brand_id text, created_at timestamp)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query select i.brand_id::text, i.created_at from public.content_items i
    where i.tenant_id = tenant and i.id = content and i.brand_id is not null;
end $$;

create function engarde.brands_with_content_v1(tenant text) returns table (brand_id text)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query select distinct c.brand_id::text from engarde.content_counts c where c.tenant_id = tenant order by 1;
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('search_config_v1', 'search_mark_v1', 'search_lexeme_v1', 'search_document_v2',
              'search_term_v1', 'search_said_v1', 'search_query_v2', 'search_entry_v1', 'search_fresh_v1',
              'search_hits_v1', 'search_ranks_v1', 'is_hit_v2', 'search_marks_v1', 'index_versions_v2',
              'index_pending_v2', 'list_conditions_v1', 'list_sort_v1', 'list_hits_v1', 'list_newest_hits_v1',
              'list_walk_v1', 'list_total_v1', 'list_items_v1', 'export_page_v1',
              'place_of_v1', 'brands_with_content_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
        if f::text not like '%index_%' then
            execute format('grant execute on function %s to engarde_api', f);
        end if;
    end loop;
end $$;
alter type engarde.list_question owner to engarde_owner;
