"""The parts that every screen is made of: one widget a module."""
