"""The tables of the naive flow as the platform's first sketch has them, and its statements."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS tenants (
    id varchar(36) PRIMARY KEY,
    plan_tier varchar(50) NOT NULL
);
CREATE TABLE IF NOT EXISTS brands (
    id varchar(36) PRIMARY KEY,
    tenant_id varchar(36) NOT NULL REFERENCES tenants (id)
);
CREATE TABLE IF NOT EXISTS users (
    id varchar(36) PRIMARY KEY,
    brand_id varchar(36) NOT NULL REFERENCES brands (id),
    api_key varchar(100) NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS content_items (
    id varchar(36) PRIMARY KEY,
    tenant_id varchar(36) NOT NULL REFERENCES tenants (id),
    brand_id varchar(36) NOT NULL REFERENCES brands (id),
    user_id varchar(36) NOT NULL REFERENCES users (id),
    title varchar(500) NOT NULL,
    content_type varchar(50) NOT NULL,
    status varchar(50) NOT NULL,
    content_metadata jsonb NOT NULL,
    zerodb_id varchar(36),
    storage_size_bytes integer DEFAULT 0,
    bigquery_backed_up boolean DEFAULT false,
    version integer DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE INDEX IF NOT EXISTS content_items_by_brand ON content_items (brand_id, created_at);
CREATE INDEX IF NOT EXISTS content_items_by_zerodb_id ON content_items (zerodb_id);
CREATE INDEX IF NOT EXISTS content_items_live ON content_items (deleted_at)
    WHERE deleted_at IS NULL;
CREATE TABLE IF NOT EXISTS content_storage_usage (
    tenant_id varchar(36) PRIMARY KEY REFERENCES tenants (id),
    brand_id varchar(36) REFERENCES brands (id),
    total_content_items integer DEFAULT 0,
    total_storage_bytes bigint DEFAULT 0,
    usage_by_type jsonb DEFAULT '{}'::jsonb,
    last_calculated_at timestamptz NOT NULL DEFAULT now()
);
"""
ADD_TENANT = (
    "INSERT INTO tenants (id, plan_tier) VALUES ($1, 'professional') ON CONFLICT DO NOTHING"
)
ADD_BRAND = "INSERT INTO brands (id, tenant_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
ADD_USER = "INSERT INTO users (id, brand_id, api_key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
ADD_USAGE = """
INSERT INTO content_storage_usage (tenant_id, brand_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""

SELECT_USER = "SELECT id, brand_id FROM users WHERE api_key = $1"
SELECT_BRAND = "SELECT id, tenant_id FROM brands WHERE id = $1"
SELECT_TENANT = "SELECT id, plan_tier FROM tenants WHERE id = $1"
SELECT_USAGE = "SELECT * FROM content_storage_usage WHERE tenant_id = $1"
UPDATE_USAGE = """
UPDATE content_storage_usage SET total_content_items = $2, total_storage_bytes = $3,
    usage_by_type = $4, last_calculated_at = now()
WHERE tenant_id = $1
"""
INSERT_ITEM = """
INSERT INTO content_items (id, tenant_id, brand_id, user_id, title, content_type, status,
                           content_metadata, zerodb_id, storage_size_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
SELECT_ITEM = "SELECT * FROM content_items WHERE id = $1 AND brand_id = $2 AND deleted_at IS NULL"
UPDATE_ITEM = """
UPDATE content_items SET title = $2, status = $3, storage_size_bytes = $4, version = $5,
    updated_at = now()
WHERE id = $1
"""
COUNT_ITEMS = "SELECT count(*) FROM content_items WHERE brand_id = $1 AND deleted_at IS NULL"
SELECT_PAGE = """
SELECT * FROM content_items WHERE brand_id = $1 AND deleted_at IS NULL
ORDER BY created_at DESC OFFSET $2 LIMIT $3
"""
