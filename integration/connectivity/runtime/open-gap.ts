import type { Micros } from "@lineshaft/contract/api";
import type { ConnectorSink } from "@lineshaft/contract/ports";

/** A time for which data are missing: recorded as open when it begins, and once more with its end. */
export class OpenGap {
  #fromUs: Micros | null = null;

  begin(fromUs: Micros, reason: string, sink: ConnectorSink): void {
    this.#fromUs = fromUs;
    void sink.gap({ fromUs, toUs: null, points: null, reason }).catch(() => undefined);
  }

  end(toUs: Micros, sink: ConnectorSink): void {
    if (this.#fromUs === null) return;
    const fromUs = this.#fromUs;
    this.#fromUs = null;
    void sink.gap({ fromUs, toUs, points: null, reason: "The connection was away." }).catch(() => undefined);
  }
}
