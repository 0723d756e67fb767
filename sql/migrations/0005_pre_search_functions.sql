-- Full text. These functions run as engarde_owner, because `@@` may not use an index under row level
-- security. Each names its tenant itself and answers with ids only; their callers read the items
-- under row level security, where a foreign id is nothing.

-- A token that no text can hold: words never start with an at sign.
create function engarde.search_token_v1(kind text, value text) returns text
language sql immutable strict set search_path = pg_catalog as $$
    select '@' || kind || ':' || lower(left(value, 100))
$$;

-- The words of the body weigh least (D), so that `ts_filter` can take them over when only the title
-- or the tags of an item changed. Beyond 100,000 characters a body is not indexed: PostgreSQL
-- bounds a tsvector at 1 MB.
create function engarde.search_document_v1(brand text, title text, tags text[], body_words tsvector) returns tsvector
language sql immutable set search_path = pg_catalog as $$
    select array_to_tsvector(array[engarde.search_token_v1('b', brand)]
               || coalesce((select array_agg(engarde.search_token_v1('t', t)) from unnest(tags) t), '{}'))
        || setweight(to_tsvector('english', title), 'A')
        || setweight(to_tsvector('english', coalesce(array_to_string(tags, ' '), '')), 'B')
        || coalesce(body_words, '')
$$;

create function engarde.search_words_v1(body text) returns tsvector
language sql immutable set search_path = pg_catalog as $$
    select to_tsvector('english', left(body, 100000))
$$;

create function engarde.search_tags_v1(details json) returns text[]
language sql immutable set search_path = pg_catalog as $$
    select array(select json_array_elements_text(details -> 'tags'))
$$;

-- What to look for, or null when nothing is asked. Words alone that are all too common to be
-- indexed find nothing.
create function engarde.search_query_v1(brand text, words text, tags text[]) returns tsquery
language plpgsql immutable set search_path = pg_catalog as $$
declare
    sought tsquery := engarde.search_quoted_v1(engarde.search_token_v1('b', brand));
    said tsquery;
    tag text;
begin
    if words is null and tags is null then
        return null;
    end if;
    if words is not null then
        said := websearch_to_tsquery('english', words);
        if numnode(said) = 0 then
            return engarde.search_quoted_v1('@none');
        end if;
        sought := sought && said;
    end if;
    foreach tag in array coalesce(tags, '{}') loop
        sought := sought && engarde.search_quoted_v1(engarde.search_token_v1('t', tag));
    end loop;
    return sought;
end $$;

create function engarde.search_quoted_v1(token text) returns tsquery
language sql immutable set search_path = pg_catalog as $$
    select ('''' || replace(replace(token, '\', '\\'), '''', '''''') || '''')::tsquery
$$;

-- At most `cap + 1` ids. What was written a moment ago and is not indexed yet (the newest 200 of
-- the tenant) is read as it stands, so that a writer finds at once what it wrote.
create function engarde.search_candidates_v1(tenant text, sought tsquery, cap integer) returns text[]
language sql security definer set search_path = pg_catalog as $$
    with pending as materialized (
        select distinct on (o.content_id) o.content_id, o.version
        from (select * from engarde.outbox b
              where b.tenant_id = tenant and b.destination = 'search'
              order by b.id desc limit 200) o
        order by o.content_id, o.version desc
    ), fresh as (
        select p.content_id
        from pending p
        join engarde.content_versions v
          on v.tenant_id = tenant and v.content_id = p.content_id and v.version = p.version
        left join engarde.staged_bodies s
          on s.tenant_id = tenant and s.content_id = p.content_id and s.version = v.body_version
        left join engarde.content_search d on d.tenant_id = tenant and d.content_id = p.content_id
        where engarde.search_document_v1(v.brand_id, v.title, engarde.search_tags_v1(v.details),
                  coalesce(engarde.search_words_v1(s.body), ts_filter(d.document, '{d}'))) @@ sought
    ), indexed as (
        select d.content_id from engarde.content_search d
        where d.tenant_id = tenant and d.document @@ sought
          and not exists (select from pending p where p.content_id = d.content_id)
        limit cap + 1
    )
    select array(select content_id::text from fresh union all select content_id::text from indexed)
$$;

create function engarde.is_hit_v1(tenant text, content text, sought tsquery) returns boolean
language sql stable security definer set search_path = pg_catalog as $$
    select exists (
        select from engarde.content_search d
        where d.tenant_id = tenant and d.content_id = content and d.document @@ sought)
$$;

-- Bring these versions of the outbox into the index; an older one never replaces a newer one.
create function engarde.index_versions_v1(tenants text[], contents text[], wanted integer[]) returns void
language sql set search_path = pg_catalog as $$
    insert into engarde.content_search as c (tenant_id, content_id, version, document)
    select v.tenant_id, v.content_id, v.version,
        engarde.search_document_v1(v.brand_id, v.title, engarde.search_tags_v1(v.details),
            coalesce(engarde.search_words_v1(s.body), ts_filter(d.document, '{d}')))
    from (
        select distinct on (t, i) t, i, n from unnest(tenants, contents, wanted) x (t, i, n)
        order by t, i, n desc
    ) w
    join engarde.content_versions v on v.tenant_id = w.t and v.content_id = w.i and v.version = w.n
    left join engarde.staged_bodies s
      on s.tenant_id = v.tenant_id and s.content_id = v.content_id and s.version = v.body_version
    left join engarde.content_search d on d.tenant_id = v.tenant_id and d.content_id = v.content_id
    order by v.tenant_id, v.content_id
    on conflict (tenant_id, content_id) do update
    set version = excluded.version, document = excluded.document
    where c.version < excluded.version
$$;

-- Who a key belongs to: asked before the tenant is known.
create function engarde.find_api_key_v1(key text)
returns table (tenant_id text, brand_id text, user_id text, role text, secret_sha256 bytea)
language sql stable security definer set search_path = pg_catalog as $$
    select k.tenant_id, k.brand_id, k.user_id, k.role, k.secret_sha256
    from engarde.api_keys k where k.id = key and k.revoked_at is null
$$;

create function engarde.plan_of_v1(tenant text) returns text
language sql stable security definer set search_path = pg_catalog as $$
    select t.plan_tier from public.tenants t where t.id = tenant
$$;

create function engarde.brand_belongs_v1(tenant text, brand text) returns boolean
language sql stable security definer set search_path = pg_catalog as $$
    select exists (select from public.brands b where b.tenant_id = tenant and b.id = brand)
$$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and (p.proname like 'search\_%' or p.proname in (
              'is_hit_v1', 'index_versions_v1', 'find_api_key_v1', 'plan_of_v1', 'brand_belongs_v1'))
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
        if f::text not like '%index_versions%' then
            execute format('grant execute on function %s to engarde_api', f);
        end if;
    end loop;
end $$;
