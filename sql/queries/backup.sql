-- name: can_be_copied
select current_setting('wal_level') <> 'minimal' and current_setting('max_wal_senders')::integer >= 2

-- name: hold
-- While this is held nothing is removed for good: `claim_removals` and `claim_leftovers` ask for it.
select pg_try_advisory_lock(1734437989, 1)

-- name: positions
-- What the archive's tables number their next row; nothing of theirs beyond it is known here.
select s.table_name, s.next_id from engarde.archive_streams s

-- name: unknown_media
-- Which of these are neither files nor on their way to being files.
select p.path from unnest($1::text[]) p (path)
where not exists (select from engarde.media_files f where f.storage_path = p.path)
  and not exists (select from engarde.media_uploads u
                  where u.storage_path in (p.path, split_part(p.path, '.parts/', 1)))
