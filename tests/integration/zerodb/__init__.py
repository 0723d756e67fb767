"""The ZeroDB adapters against what they really talk to."""
