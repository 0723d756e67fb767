"""Everything a tenant or a brand has, out as lines of JSON and in again."""
