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

-- Links that wait for a person: what may be, and has been judged neither way since, by the articles' newest readings.
CREATE OR REPLACE VIEW unsure_links AS
WITH latest_reading AS (
    FROM readings QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY recorded_at DESC) = 1
)
SELECT link.* FROM current_links AS link
SEMI JOIN latest_reading USING (reading_id)
WHERE link.verdict = 'unsure';

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
