import type { Migration } from "../sqlite/open.ts";

/**
 * Results with all revisions of final ones, and what is dirty. `result` holds the newest provisional revision in place. `dirty` and `station` are what an agenda needs to go on after a
 * restart; they are written in one transaction with the place in the log up to which their causes were seen.
 */
export const migrations: readonly Migration[] = [
  `
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE application (
    id INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    rule_version TEXT NOT NULL,
    periods TEXT NOT NULL,
    lsn INTEGER NOT NULL,
    UNIQUE (tenant, name)
  ) STRICT;

  CREATE TABLE result (
    application INTEGER NOT NULL,
    equipment INTEGER NOT NULL,
    period TEXT NOT NULL,
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    current INTEGER NOT NULL,
    from_us INTEGER NOT NULL,
    to_us INTEGER NOT NULL,
    state TEXT NOT NULL,
    rule_version TEXT NOT NULL,
    cause TEXT NOT NULL,
    vals TEXT NOT NULL,
    coverage REAL,
    detail TEXT NOT NULL,
    evidence TEXT NOT NULL,
    basis_lsn INTEGER NOT NULL,
    lsn INTEGER NOT NULL,
    published_us INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX result_key ON result (application, period, key, equipment, revision);
  CREATE INDEX result_range ON result (application, equipment, to_us, from_us);
  CREATE INDEX result_open ON result (application, equipment) WHERE current = 1 AND state = 'provisional';

  CREATE TABLE dirty (
    application INTEGER NOT NULL,
    id INTEGER NOT NULL,
    equipment INTEGER NOT NULL,
    period TEXT,
    key TEXT,
    from_us REAL,
    to_us REAL,
    cause TEXT NOT NULL,
    PRIMARY KEY (application, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE station (
    application INTEGER NOT NULL,
    equipment INTEGER NOT NULL,
    seen_us INTEGER NOT NULL,
    PRIMARY KEY (application, equipment)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE applied (lsn INTEGER NOT NULL, facts_lsn INTEGER NOT NULL) STRICT;
  INSERT INTO applied VALUES (0, 0);
  `,
  // Which results of an equipment meet a time, of which period, and how they stand, is told without reading them: most that are passed over hold kilobytes.
  `
  DROP INDEX result_range;
  CREATE INDEX result_range ON result (application, equipment, to_us, from_us, current, period, key, state);
  `,
];
