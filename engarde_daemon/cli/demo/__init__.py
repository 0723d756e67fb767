"""`engarde demo`: a daemon at work, an outage, and its recovery, at a pace one can watch."""
