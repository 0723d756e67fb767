"""The glue of adapters, without what they adapt."""
