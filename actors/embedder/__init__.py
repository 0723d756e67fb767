"""The embedder: takes what is stored already into the index of likeness."""
