"""The tests, from pure rules to the whole daemon under faults."""
