-- One view for each table of the warehouse at getvariable('warehouse'): all rows that were ever recorded, with `dt`, the
-- UTC day of their recording. docs/data-dictionary.md says what the columns mean. Timestamps are shown in UTC.

SET TimeZone = 'UTC';
SET VARIABLE warehouse_glob = regexp_replace(rtrim(getvariable('warehouse'), '/'), '([*?[])', '[\1]', 'g');

CREATE OR REPLACE VIEW inputs AS
FROM read_parquet(getvariable('warehouse_glob') || '/inputs/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW fetches AS
FROM read_parquet(getvariable('warehouse_glob') || '/fetches/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW articles AS
FROM read_parquet(getvariable('warehouse_glob') || '/articles/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW readings AS
FROM read_parquet(getvariable('warehouse_glob') || '/readings/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW claims AS
FROM read_parquet(getvariable('warehouse_glob') || '/claims/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW links AS
FROM read_parquet(getvariable('warehouse_glob') || '/links/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW alignments AS
FROM read_parquet(getvariable('warehouse_glob') || '/alignments/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW judgements AS
FROM read_parquet(getvariable('warehouse_glob') || '/judgements/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW incidents AS
FROM read_parquet(getvariable('warehouse_glob') || '/incidents/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW participants AS
FROM read_parquet(getvariable('warehouse_glob') || '/participants/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW facts AS
FROM read_parquet(getvariable('warehouse_glob') || '/facts/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW changes AS
FROM read_parquet(getvariable('warehouse_glob') || '/changes/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW quarantine AS
FROM read_parquet(getvariable('warehouse_glob') || '/quarantine/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW check_results AS
FROM read_parquet(getvariable('warehouse_glob') || '/check_results/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW alerts AS
FROM read_parquet(getvariable('warehouse_glob') || '/alerts/**/*.parquet', hive_partitioning = true);
CREATE OR REPLACE VIEW runs AS
FROM read_parquet(getvariable('warehouse_glob') || '/runs/**/*.parquet', hive_partitioning = true);
