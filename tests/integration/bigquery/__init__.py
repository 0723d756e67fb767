"""The archive in BigQuery, against an emulator that Google's own clients talk to."""
