"""Tests of the stand-ins that ship with the daemon."""
