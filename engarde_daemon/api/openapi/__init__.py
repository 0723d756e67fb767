"""The API's own description: an OpenAPI document, and a page for people made of it.

Owns the promise that nothing in it is written twice. Schemas come from the Structs that requests
are read with and answers are encoded from, roles from the guards, refusals from the error tree.
Litestar 2.25 describes handlers by their signatures; ours take the raw request, so that one answer
can name all its faults, and would be described as taking nothing.
"""
