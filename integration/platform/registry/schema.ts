import type { Migration } from "../sqlite/open.ts";

/**
 * The registry's tables. `journal` is the list of decisions: one row a revision, and the outbox as long as `lsn` is null. The
 * `…_history` tables hold each item as it was from that revision on, so nothing that people decided is ever overwritten.
 * Names compare as bytes: case and Unicode forms that look alike stay apart (A68).
 */
export const migrations: readonly Migration[] = [
  `
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE journal (
    revision INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    entity TEXT NOT NULL,
    entity_id ANY NOT NULL,
    actor TEXT NOT NULL,
    changed_us INTEGER NOT NULL,
    after TEXT NOT NULL,
    lsn INTEGER
  ) STRICT;
  CREATE INDEX journal_outbox ON journal (revision) WHERE lsn IS NULL;

  CREATE TABLE equipment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    parent_id INTEGER REFERENCES equipment,
    level TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    lifecycle TEXT NOT NULL,
    revision INTEGER NOT NULL,
    changed_us INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX equipment_sibling ON equipment (parent_id, name);
  CREATE UNIQUE INDEX equipment_root ON equipment (tenant) WHERE parent_id IS NULL;
  CREATE INDEX equipment_revision ON equipment (tenant, revision);
  -- In tree order a parent stands before its children and these before its next sibling; '/' itself would sort behind ' '.
  CREATE INDEX equipment_tree ON equipment (tenant, replace(path, '/', char(1)));

  CREATE TABLE equipment_history (
    id INTEGER NOT NULL REFERENCES equipment,
    revision INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    parent_id INTEGER,
    level TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    lifecycle TEXT NOT NULL,
    changed_us INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (id, revision)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX equipment_history_path ON equipment_history (tenant, path, revision);

  CREATE TABLE connection (
    id INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    corrections INTEGER NOT NULL,
    tag_quota INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    UNIQUE (tenant, name)
  ) STRICT;

  -- No index over the addresses: ingest finds them in memory, and a million names load four times faster without.
  CREATE TABLE tag (
    id INTEGER PRIMARY KEY,
    connection_id INTEGER NOT NULL REFERENCES connection,
    address TEXT NOT NULL,
    name TEXT,
    equipment_id INTEGER REFERENCES equipment,
    unit TEXT,
    -- Name and address in lower case; null where that is the address itself.
    folded TEXT,
    revision INTEGER NOT NULL,
    registered_us INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE tag_history (
    id INTEGER NOT NULL REFERENCES tag,
    revision INTEGER NOT NULL,
    name TEXT,
    equipment_id INTEGER,
    unit TEXT,
    changed_us INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (id, revision)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    expires_us INTEGER,
    revoked_us INTEGER,
    last_used_us INTEGER,
    hash BLOB NOT NULL
  ) STRICT;

  CREATE TABLE applied (one INTEGER PRIMARY KEY CHECK (one = 1), lsn INTEGER NOT NULL) STRICT;
  INSERT INTO applied VALUES (1, 0);
  `,
  // Configuration as files (adr/0007). Its history is the journal itself; `kept` is what of an item stays out of the log.
  `
  ALTER TABLE journal ADD COLUMN part_of INTEGER;
  ALTER TABLE journal ADD COLUMN kept TEXT;

  ALTER TABLE equipment ADD COLUMN model TEXT;
  ALTER TABLE equipment ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE equipment_history ADD COLUMN model TEXT;
  ALTER TABLE equipment_history ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;
  DROP INDEX equipment_sibling;
  CREATE UNIQUE INDEX equipment_sibling ON equipment (parent_id, name) WHERE removed = 0;

  -- Declared: people decided that it is there. Others came with their data and are not part of the configuration.
  ALTER TABLE connection ADD COLUMN declared INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE connection ADD COLUMN config TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE connection ADD COLUMN classes TEXT NOT NULL DEFAULT '{}';

  -- What people said of a tag, whether it has come yet or not; a raw tag holds a copy of name, place and unit.
  CREATE TABLE declared_tag (
    connection_id INTEGER NOT NULL REFERENCES connection,
    address TEXT NOT NULL,
    name TEXT,
    equipment_id INTEGER REFERENCES equipment,
    unit TEXT,
    class TEXT,
    options TEXT,
    behaviour TEXT,
    revision INTEGER NOT NULL,
    PRIMARY KEY (connection_id, address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX declared_tag_equipment ON declared_tag (equipment_id);
  INSERT INTO declared_tag SELECT connection_id, address, name, equipment_id, unit, NULL, NULL, NULL, revision FROM tag
    WHERE name IS NOT NULL OR equipment_id IS NOT NULL OR unit IS NOT NULL;
  UPDATE connection SET declared = 1 WHERE id IN (SELECT connection_id FROM declared_tag)
    OR id IN (SELECT entity_id FROM journal WHERE entity = 'connection');

  CREATE TABLE model (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    withdrawn INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE binding (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    connection_id INTEGER NOT NULL REFERENCES connection,
    address TEXT NOT NULL,
    equipment_id INTEGER NOT NULL REFERENCES equipment,
    property TEXT NOT NULL,
    valid_from_us INTEGER,
    valid_to_us INTEGER,
    revision INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX binding_property ON binding (equipment_id, property);
  CREATE INDEX binding_tag ON binding (connection_id, address);
  `,
  // Since when a change holds on the floor; null: since it was made.
  `
  ALTER TABLE equipment ADD COLUMN valid_from_us INTEGER;
  ALTER TABLE equipment_history ADD COLUMN valid_from_us INTEGER;
  `,
  // What the values of a binding mean, as JSON; null: as the model says.
  `
  ALTER TABLE binding ADD COLUMN mapping TEXT;
  `,
  // Master data: a row is one version of an item, in force from its revision until the one that ended it; beside it the ids of the equipment it names.
  `
  CREATE TABLE master_item (
    tenant INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    until INTEGER,
    removed INTEGER NOT NULL,
    equipment TEXT NOT NULL,
    from_us INTEGER,
    to_us INTEGER,
    changed_us INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, id, revision)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX journal_lsn ON journal (lsn, revision);
  `,
  // What the source says; the column `unit` is what people decided.
  `
  ALTER TABLE tag ADD COLUMN source_unit TEXT;
  `,
  // The type that its values have had since the change that was told last.
  `
  ALTER TABLE tag ADD COLUMN source_type TEXT;
  `,
  // Terminals ask every few seconds what holds from a time on.
  `
  CREATE INDEX master_item_current ON master_item (tenant, kind, to_us) WHERE until IS NULL;
  `,
  // Which versions name an equipment, so that what holds there at a time is found among thousands of orders.
  `
  CREATE TABLE master_place (
    tenant INTEGER NOT NULL,
    kind TEXT NOT NULL,
    equipment INTEGER NOT NULL,
    to_us INTEGER NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, equipment, to_us, id, revision)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO master_place SELECT DISTINCT item.tenant, item.kind, named.value, coalesce(item.to_us, 9007199254740991), item.id, item.revision
    FROM master_item AS item, json_each(item.equipment) AS named;
  `,
  // An order that is booked on often has many versions that name an equipment; which of them is in force is told without reading them.
  `
  CREATE INDEX master_item_now ON master_item (tenant, kind, id, revision) WHERE until IS NULL;
  `,
];
