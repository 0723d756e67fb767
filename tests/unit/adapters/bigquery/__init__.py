"""The parts of the archive in BigQuery that need no BigQuery."""
