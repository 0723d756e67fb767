"""What the business says, free of input and output: content, versions, plans, quota and errors."""
