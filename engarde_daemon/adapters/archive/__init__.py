"""The archive without BigQuery: Parquet files in a folder, written and read by DuckDB."""
