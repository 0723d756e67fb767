-- name: find
select * from engarde.read_items_v1($1::text[], $2::text[])

-- name: find_version
select * from engarde.read_version_v1($1, $2, $3)

-- name: staged
select * from engarde.read_staged_v1($1, $2::text[], $3::integer[])

-- name: pages
select * from engarde.list_pages_v1($1::jsonb)

-- name: trash
select * from engarde.list_trash_v1($1, $2, $3, $4, $5, $6)

-- name: filtered_page
select * from engarde.list_filtered_v1($1, $2, $3::text[], $4::text[], $5, $6, $7, $8, $9::text[], $10, $11, $12, $13, $14)

-- name: usage
select * from engarde.read_quota_v1($1)

-- name: owns_brand
select engarde.brand_belongs_v1($1, $2)

-- name: find_api_key
select * from engarde.find_api_key_v1($1)
