-- What stands now. The tables keep every version; these views show the newest one. An incident that was merged into
-- another is left out here; its versions, changes and `merged_into` stay readable in `incidents` and `changes`.

CREATE OR REPLACE VIEW current_incidents AS
SELECT * FROM (
    FROM incidents QUALIFY row_number() OVER (PARTITION BY incident_id ORDER BY version DESC) = 1
)
WHERE merged_into IS NULL;

-- The participants of the current incidents, each with where and when it happened.
CREATE OR REPLACE VIEW current_participants AS
SELECT participants.*, incident.headline, incident.occurred_date, incident.city, incident.state
FROM participants
JOIN current_incidents AS incident USING (incident_id, version);

-- Every field that stands, with the sentence that carries it: one row a field of an incident or of a participant.
-- `facts` has a row when a field came to stand, so the newest row of each field is what stands.
CREATE OR REPLACE VIEW current_facts AS
WITH standing AS (
    SELECT * EXCLUDE (recorded_at, run_id, batch_id, dt) FROM facts
    QUALIFY row_number() OVER (PARTITION BY incident_id, participant_id, field ORDER BY version DESC) = 1
)
SELECT standing.*, claim.quote, claim.attributed_to, claim.basis, claim.article_id, article.source_id, article.url
FROM standing
JOIN current_incidents AS incident USING (incident_id)
LEFT JOIN claims AS claim ON claim.claim_id = standing.claim_ids[1]
LEFT JOIN articles AS article ON article.revision_id = claim.revision_id
WHERE standing.participant_id IS NULL
   OR list_contains([participant.participant_id FOR participant IN incident.participants], standing.participant_id);

-- The judgement that stands for each incident of a reading and each known incident: a person's before any computed one,
-- then the newest.
CREATE OR REPLACE VIEW current_links AS
FROM links
QUALIFY row_number() OVER (
    PARTITION BY reading_id, incident_ref, incident_id ORDER BY starts_with(actor, 'human:') DESC, seq DESC
) = 1;

-- Which articles report which incident, by each article's newest text.
CREATE OR REPLACE VIEW incident_articles AS
WITH newest AS (
    FROM articles QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY revision DESC) = 1
),
latest_reading AS (
    SELECT readings.* FROM readings
    JOIN newest USING (article_id, revision_id)
    QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY readings.recorded_at DESC) = 1
)
SELECT
    link.incident_id, newest.article_id, newest.source_id, newest.url, newest.title, newest.published_at,
    newest.syndication_id, reading.kind, reading.notice, link.score, link.reasons, link.actor
FROM current_links AS link
JOIN latest_reading AS reading USING (reading_id)
JOIN newest ON newest.article_id = link.article_id
WHERE link.verdict = 'positive';

-- Links that wait for a person: may this article be of that incident? Merges are followed. A question is gone once a
-- person answered it or placed the article, or the article came to the incident another way, or was read again.
CREATE OR REPLACE VIEW unsure_links AS
WITH RECURSIVE newest AS (
    FROM incidents QUALIFY row_number() OVER (PARTITION BY incident_id ORDER BY version DESC) = 1
),
live(incident_id, live_id) AS (
    SELECT incident_id, incident_id FROM newest WHERE merged_into IS NULL
    UNION ALL
    SELECT newest.incident_id, live.live_id FROM newest JOIN live ON newest.merged_into = live.incident_id
),
text AS (FROM articles QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY revision DESC) = 1),
latest AS (
    SELECT readings.reading_id FROM readings JOIN text USING (article_id, revision_id)
    QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY readings.recorded_at DESC) = 1
),
link AS (
    SELECT current_links.* EXCLUDE (incident_id), live.live_id AS incident_id
    FROM current_links JOIN latest USING (reading_id) JOIN live USING (incident_id)
),
placed AS (FROM link WHERE verdict = 'positive')
SELECT
    link.reading_id, link.incident_ref, link.article_id, text.source_id, text.url, text.title, text.published_at, link.incident_id, may.headline,
    may.occurred_date, may.city, may.state, placed.incident_id AS placed_in, now_in.headline AS placed_headline,
    link.score, link.reasons, link.judged_at
FROM link
JOIN text USING (article_id)
JOIN newest AS may ON may.incident_id = link.incident_id
LEFT JOIN placed ON placed.reading_id = link.reading_id AND placed.incident_ref = link.incident_ref
LEFT JOIN newest AS now_in ON now_in.incident_id = placed.incident_id
WHERE link.verdict = 'unsure'
    AND NOT EXISTS (FROM placed WHERE placed.article_id = link.article_id
        AND (placed.incident_id = link.incident_id OR starts_with(placed.actor, 'human:')))
    AND NOT EXISTS (FROM link AS answer WHERE answer.article_id = link.article_id
        AND answer.incident_id = link.incident_id AND starts_with(answer.actor, 'human:'))
QUALIFY row_number() OVER (PARTITION BY link.article_id, link.incident_id ORDER BY link.score DESC) = 1;

-- Inputs in quarantine, and what became of each when it was last replayed.
CREATE OR REPLACE VIEW quarantined_inputs AS
WITH replayed AS (
    FROM inputs WHERE replay_of IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY replay_of ORDER BY recorded_at DESC, input_id) = 1
)
SELECT
    quarantine.*, input.kind, input.source_id, replayed.input_id AS replayed_as, replayed.disposition AS replayed_to
FROM quarantine
LEFT JOIN inputs AS input USING (input_id)
LEFT JOIN replayed ON replayed.replay_of = quarantine.input_id;
