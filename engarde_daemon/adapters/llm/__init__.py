"""Language models behind their port: template, OpenAI, Anthropic and what speaks like them."""
