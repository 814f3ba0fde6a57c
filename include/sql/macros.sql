-- Questions with an argument. Times are UTC: `TIMESTAMPTZ '2025-03-02 18:00Z'`, or text that reads as one.

-- The incidents as they were known at `as_of`: the newest version that had come to stand by then.
CREATE OR REPLACE MACRO incidents_as_of(as_of) AS TABLE
SELECT * FROM (
    FROM incidents
    WHERE known_at <= as_of::TIMESTAMPTZ
    QUALIFY row_number() OVER (PARTITION BY incident_id ORDER BY version DESC) = 1
)
WHERE merged_into IS NULL;

-- Everything that became known of one incident, in the order in which it did: what it replaced, and who says it.
-- Also of an incident that was merged into another.
CREATE OR REPLACE MACRO incident_timeline(id) AS TABLE
SELECT
    change.known_at, change.version, change.participant_id, person.role, person.name, change.field, change.kind,
    change.cause, change.before_state, json_extract_string(change.before, '$') AS before, change.after_state,
    json_extract_string(change.after, '$') AS after, change.quote, change.source_id, article.url, article.title,
    change.published_at, change.change_id
FROM changes AS change
LEFT JOIN participants AS person
    ON person.incident_id = change.incident_id
    AND person.version = change.version
    AND person.participant_id = change.participant_id
LEFT JOIN (
    FROM articles QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY revision DESC) = 1
) AS article ON article.article_id = change.article_id
WHERE change.incident_id = id
ORDER BY change.version, change.participant_id NULLS FIRST, change.field, change.change_id;

-- The changes that became known from `since` up to, and without, `until`.
CREATE OR REPLACE MACRO changes_between(since, until) AS TABLE
SELECT
    change.known_at, change.incident_id, version.headline, version.city, version.state, change.version,
    change.participant_id, change.field, change.kind, change.cause,
    change.before_state, json_extract_string(change.before, '$') AS before, change.after_state,
    json_extract_string(change.after, '$') AS after, change.quote, change.source_id, change.published_at,
    change.change_id
FROM changes AS change
LEFT JOIN incidents AS version USING (incident_id, version)
WHERE change.known_at >= since::TIMESTAMPTZ AND change.known_at < until::TIMESTAMPTZ
ORDER BY change.known_at, change.incident_id, change.version, change.participant_id NULLS FIRST, change.field,
    change.change_id;

-- One row for each incident whose record moved on the UTC day `day`, as it stood at the end of that day.
CREATE OR REPLACE MACRO daily_updates(day) AS TABLE
WITH moved AS (
    SELECT
        incident_id, min(version) = 1 AS is_new, count(*) AS n_changes, list_sort(list(DISTINCT field)) AS fields,
        list_sort(list(DISTINCT source_id)) AS source_ids, max(version) AS version
    FROM changes
    WHERE known_at >= (day::DATE)::TIMESTAMP AT TIME ZONE 'UTC'
        AND known_at < (day::DATE + 1)::TIMESTAMP AT TIME ZONE 'UTC'
    GROUP BY incident_id
)
SELECT
    moved.incident_id, incident.headline, incident.occurred_date, incident.city, incident.state, moved.is_new,
    moved.n_changes, moved.fields, moved.source_ids, moved.version, incident.merged_into
FROM moved
LEFT JOIN incidents AS incident USING (incident_id, version)
ORDER BY moved.is_new DESC, moved.n_changes DESC, moved.incident_id;
