import { dayUs, formatTimeUs, type Micros } from "@lineshaft/contract/api";
import type { RestsOn } from "@lineshaft/contract/ports";

/** Days before its end at which a certificate is spoken of, once each. */
export const warnDays = [30, 14, 3, 1] as const;

/** Whole days until the end; negative afterwards. */
export function daysLeft(validToUs: Micros, nowUs: Micros): number {
  return Math.floor((validToUs - nowUs) / dayUs);
}

/** What `diagnose` says of certificates, as far as it can be read. */
export function restsOn(diagnosis: Record<string, unknown>): RestsOn[] {
  return Array.isArray(diagnosis.certificates) ? (diagnosis.certificates as RestsOn[]) : [];
}

/** Follows the certificates of one connection: what stands to be said, and what has just become due. */
export class CertificateWatch {
  #said = new Map<string, number>();
  #rest: readonly RestsOn[] = [];

  get certificates(): readonly RestsOn[] {
    return this.#rest;
  }

  /** One sentence for each certificate that ends within 30 days or has ended. */
  warnings(nowUs: Micros): string[] {
    return this.#rest.flatMap((certificate) => {
      const days = daysLeft(certificate.validToUs, nowUs);
      return days >= warnDays[0] ? [] : [sentence(certificate, days)];
    });
  }

  /** Takes what the connection rests on now; answers the sentences that were not said at this threshold yet. */
  follow(rest: readonly RestsOn[], nowUs: Micros): string[] {
    this.#rest = rest;
    return rest.flatMap((certificate) => {
      const days = daysLeft(certificate.validToUs, nowUs);
      const due = warnDays.findLast((threshold) => days < threshold);
      const step = days < 0 ? -1 : due;
      if (step === undefined || (this.#said.get(certificate.thumbprint) ?? Infinity) <= step) return [];
      this.#said.set(certificate.thumbprint, step);
      return [sentence(certificate, days)];
    });
  }
}

function sentence({ of, subject, validToUs }: RestsOn, days: number): string {
  const whose = of === "own" ? "Our own certificate" : "The peer's certificate";
  const end = formatTimeUs(validToUs).slice(0, 10);
  if (days < 0) return `${whose} (${subject}) ended on ${end}: renew it, or the next connection is refused.`;
  return `${whose} (${subject}) ends on ${end}, in ${days === 1 ? "1 day" : `${days} days`}: renew it before.`;
}
