import { encodeJson, type Log, type Lsn, type Outbox, type Registry, recordType } from "@lineshaft/contract/ports";
import { othersServed } from "@lineshaft/platform/registry";

/** Changes in one go; each is a record that all views of the log read. */
const atOnce = 100;

/**
 * Moves registry changes into the log. The change is durable in the registry first; its record follows, and its LSN is stamped back. A
 * crash between the two is mended by the next drain; consumers tell a record that comes twice by its revision.
 */
export class RegistryOutbox implements Outbox {
  readonly #registry: Registry;
  readonly #log: Log;
  #draining: Promise<void> | null = null;

  constructor(parts: { registry: Registry; log: Log }) {
    this.#registry = parts.registry;
    this.#log = parts.log;
  }

  async published(revision: number): Promise<Lsn> {
    for (;;) {
      const lsn = this.#registry.lsnOf(revision);
      if (lsn !== null) return lsn;
      await this.drain();
    }
  }

  /** Everything that waits, in order; calls that come meanwhile join the running one and then look again. */
  async drain(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = null;
    });
    await this.#draining;
  }

  async #drain(): Promise<void> {
    for (;;) {
      await this.#registry.settled();
      const rows = this.#registry.outbox(atOnce);
      if (rows.length === 0) return;
      const stamped = rows.map(({ revision, tenant, record }) => {
        const { lsn, durable } = this.#log.append({
          tenant,
          partition: 0,
          type: recordType.registryChanged,
          payload: encodeJson(record),
        });
        return { revision, lsn, durable };
      });
      await Promise.all(stamped.map((s) => s.durable));
      // Meanwhile a configuration may have begun to be saved.
      await this.#registry.settled(() => this.#registry.stampLsn(stamped));
      await othersServed();
    }
  }
}
