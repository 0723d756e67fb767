"""Ad platforms with an API, behind the `AdPlatform` port."""
