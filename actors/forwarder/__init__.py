"""Items that go to their provider in bulk."""
