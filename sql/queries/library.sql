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

-- name: page
select * from engarde.list_items_v2($1::jsonb)

-- name: page_alike
select * from engarde.list_alike_v1($1::jsonb, $2::text[], $3::real[])

-- name: marks
select * from engarde.search_marks_v1($1, $2, $3::jsonb, $4::text[])

-- name: brands_with_content
select * from engarde.brands_with_content_v1($1)

-- name: place_of
select * from engarde.place_of_v1($1, $2)

-- name: export_page
select i as item from engarde.export_page_v1($1, $2, $3, $4, $5, $6) i

-- name: usage
select * from engarde.read_quota_v1($1)

-- name: owns_brand
select engarde.brand_belongs_v1($1, $2)
