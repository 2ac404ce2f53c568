import type { Migration } from "../sqlite/open.ts";

/**
 * Facts that systems have recorded, each version once. A version holds from its `lsn` until `until` (the record that corrected or retracted it; null: it holds). `edge` says what went into
 * what, by the version that says so. A retraction is a version without content.
 */
export const migrations: readonly Migration[] = [
  `
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE fact (
    row INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    lsn INTEGER NOT NULL,
    until INTEGER,
    recorded_us INTEGER NOT NULL,
    author TEXT NOT NULL,
    kind TEXT NOT NULL,
    retraction INTEGER NOT NULL,
    equipment INTEGER NOT NULL,
    path TEXT NOT NULL,
    from_us INTEGER NOT NULL,
    to_us INTEGER NOT NULL,
    serial TEXT,
    lot TEXT,
    job TEXT,
    item TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX fact_id ON fact (tenant, id, revision);
  CREATE INDEX fact_recorded ON fact (recorded_us, lsn);
  CREATE INDEX fact_time ON fact (tenant, to_us, row);
  CREATE INDEX fact_equipment ON fact (equipment, to_us, row);
  CREATE INDEX fact_serial ON fact (tenant, serial, to_us) WHERE serial IS NOT NULL;
  CREATE INDEX fact_lot ON fact (tenant, lot, to_us) WHERE lot IS NOT NULL;
  CREATE INDEX fact_job ON fact (tenant, job, to_us) WHERE job IS NOT NULL;

  -- A unit has the name s<serial>, a lot l<lot>.
  CREATE TABLE edge (
    tenant INTEGER NOT NULL,
    part TEXT NOT NULL,
    whole TEXT NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (tenant, part, whole, row)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX edge_whole ON edge (tenant, whole, part, row);

  -- Whose records there are, so that what a scope sees is found without reading them.
  CREATE TABLE place (tenant INTEGER NOT NULL, equipment INTEGER NOT NULL, PRIMARY KEY (tenant, equipment)) STRICT, WITHOUT ROWID;
  CREATE TABLE applied (lsn INTEGER NOT NULL) STRICT;
  INSERT INTO applied VALUES (0);
  `,
];
