"""What a tenant uses of its plan, over HTTP."""
