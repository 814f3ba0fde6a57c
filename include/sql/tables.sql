-- One view for each table of the warehouse at getvariable('warehouse'): all rows that were ever recorded, with `dt`, the
-- UTC day of their recording. docs/data-dictionary.md says what the columns mean. Timestamps are shown in UTC.

SET TimeZone = 'UTC';
SET VARIABLE warehouse_glob = regexp_replace(rtrim(getvariable('warehouse'), '/'), '([*?[])', '[\1]', 'g');

-- A session that knows which days it needs names their files in the variable `files_TABLE`, and opens no others.
CREATE OR REPLACE MACRO recorded(name) AS TABLE
FROM read_parquet(
    coalesce(getvariable('files_' || name), [getvariable('warehouse_glob') || '/' || name || '/dt=*/*.parquet']),
    hive_partitioning = true, hive_types = {'dt': DATE}
);

CREATE OR REPLACE VIEW inputs AS FROM recorded('inputs');
CREATE OR REPLACE VIEW fetches AS FROM recorded('fetches');
CREATE OR REPLACE VIEW articles AS FROM recorded('articles');
CREATE OR REPLACE VIEW readings AS FROM recorded('readings');
CREATE OR REPLACE VIEW claims AS FROM recorded('claims');
CREATE OR REPLACE VIEW links AS FROM recorded('links');
CREATE OR REPLACE VIEW alignments AS FROM recorded('alignments');
CREATE OR REPLACE VIEW judgements AS FROM recorded('judgements');
CREATE OR REPLACE VIEW incidents AS FROM recorded('incidents');
CREATE OR REPLACE VIEW participants AS FROM recorded('participants');
CREATE OR REPLACE VIEW facts AS FROM recorded('facts');
CREATE OR REPLACE VIEW changes AS FROM recorded('changes');
CREATE OR REPLACE VIEW quarantine AS FROM recorded('quarantine');
CREATE OR REPLACE VIEW check_results AS FROM recorded('check_results');
CREATE OR REPLACE VIEW alerts AS FROM recorded('alerts');
CREATE OR REPLACE VIEW runs AS FROM recorded('runs');
