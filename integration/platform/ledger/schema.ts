import type { Migration } from "../sqlite/open.ts";

/**
 * The ledger's tables. What was sent lies apart from its description, so that listing reads little. `cause` counts for ever, also what was
 * dropped from `rejected` at its bound; an empty connection stands for none.
 */
export const migrations: readonly Migration[] = [
  `
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE rejected (
    lsn INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    time_us INTEGER NOT NULL,
    connection TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    points INTEGER NOT NULL,
    sample TEXT NOT NULL,
    payload_bytes INTEGER NOT NULL,
    size INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE payload (lsn INTEGER PRIMARY KEY, base64 TEXT NOT NULL) STRICT;

  CREATE TABLE cause (
    tenant INTEGER NOT NULL,
    code TEXT NOT NULL,
    connection TEXT NOT NULL,
    items INTEGER NOT NULL,
    points INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    PRIMARY KEY (tenant, code, connection)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE gap (
    lsn INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    connection TEXT NOT NULL,
    from_us INTEGER NOT NULL,
    to_us INTEGER,
    points INTEGER,
    reason TEXT NOT NULL,
    recorded_us INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE applied (one INTEGER PRIMARY KEY CHECK (one = 1), lsn INTEGER NOT NULL) STRICT;
  INSERT INTO applied VALUES (1, 0);
  `,
];
