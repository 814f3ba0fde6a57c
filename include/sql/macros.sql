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

-- The fields of one incident and of its participants as they stood at `as_of`, with rivals, claims and n_reports: one row
-- a field, those of the incident first.
CREATE OR REPLACE MACRO incident_facts(id, as_of) AS TABLE
FROM facts
WHERE incident_id = id AND known_at <= as_of::TIMESTAMPTZ
QUALIFY row_number() OVER (PARTITION BY participant_id, field ORDER BY version DESC) = 1
ORDER BY participant_id NULLS FIRST, field;

-- What was judged of one incident by `as_of`: for each incident of a reading the judgement that stood, a person's before
-- any computed one, then the newest. Of an article that was read again, the newest reading is the one that counts.
CREATE OR REPLACE MACRO incident_links(id, as_of) AS TABLE
FROM links
WHERE incident_id = id AND judged_at <= as_of::TIMESTAMPTZ
QUALIFY row_number() OVER (PARTITION BY reading_id, incident_ref ORDER BY starts_with(actor, 'human:') DESC, seq DESC) = 1
ORDER BY judged_at, article_id, reading_id, incident_ref;

-- Incidents whose headline, place or people hold `words` (a part of a word too), what changed last first.
CREATE OR REPLACE MACRO find_incidents(words) AS TABLE
FROM current_incidents
WHERE contains(
    lower(concat_ws(' ', headline, street, neighborhood, city, county, state, country,
        array_to_string([person.name FOR person IN participants], ' '))),
    lower(words)
)
ORDER BY known_at DESC, incident_id;

-- How each source did on the last `n_days` days on which anything was recorded: inputs by what became of them, and
-- requests that went wrong. Feeds that fell silent are in the operational state (the page *Sources*).
CREATE OR REPLACE MACRO source_health(n_days) AS TABLE
WITH days AS (
    SELECT newest - (n_days::INTEGER - 1) AS first_day FROM (SELECT max(dt) AS newest FROM inputs)
),
came AS (
    SELECT
        source_id, count(*) AS n_inputs,
        count(*) FILTER (disposition = 'published') AS n_published,
        count(*) FILTER (disposition = 'unchanged') AS n_unchanged,
        count(*) FILTER (disposition = 'not_incident') AS n_not_incident,
        count(*) FILTER (disposition = 'duplicate') AS n_duplicate,
        count(*) FILTER (disposition = 'refused') AS n_refused,
        count(*) FILTER (disposition = 'quarantined') AS n_quarantined,
        max(recorded_at) AS last_input_at
    FROM inputs WHERE dt >= (SELECT first_day FROM days) GROUP BY source_id
),
asked AS (
    SELECT
        source_id, count(*) AS n_requests,
        count(*) FILTER (outcome NOT IN ('ok', 'not_modified')) AS n_failed,
        max(requested_at) FILTER (outcome IN ('ok', 'not_modified')) AS last_answer_at,
        median(elapsed_s) AS usual_elapsed_s
    FROM fetches WHERE dt >= (SELECT first_day FROM days) GROUP BY source_id
)
FROM came FULL JOIN asked USING (source_id) ORDER BY source_id;
