"""BigQuery, the archive of platforms that live in Google Cloud.

Importing anything below this package imports Google's libraries, which take a quarter of a second
and 50 MB; only a daemon whose settings name BigQuery does.
"""
