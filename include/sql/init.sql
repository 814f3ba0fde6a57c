-- For the DuckDB command line, from the root of the repository:
--
--     BLOTTER_WAREHOUSE=data/warehouse duckdb -init include/sql/init.sql
--
-- Python opens the same views with blotter.queries.connect("data/warehouse").

SET VARIABLE warehouse = coalesce(nullif(getenv('BLOTTER_WAREHOUSE'), ''), 'data/warehouse');
.read include/sql/tables.sql
.read include/sql/views.sql
.read include/sql/macros.sql
