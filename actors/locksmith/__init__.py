"""The signing keys of the platform, kept up to date."""
