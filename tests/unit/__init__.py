"""Rules and values, without any input or output."""
