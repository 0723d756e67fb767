"""Events, as listeners and webhooks are told of them."""
