"""From the slices in storage to tables that people query: each slice is loaded in one transaction, once.

`tables` says what tables there are, `dialects` how each warehouse writes them, `sql/` what happens inside; `slices`
reads and verifies, `loading` brings the two together, `duckdb` and `postgres` are the warehouses. For those that have
no loader here, `ddl` writes the tables and `recipes` the statements of a load.
"""
