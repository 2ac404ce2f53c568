import { type Micros, minuteUs, secondUs } from "@lineshaft/contract/api";

/** What is known of a connection that feeds an equipment: when it last showed that it lives, be it by data, keep-alive or heartbeat. */
export interface ProofOfLife {
  connection: number;
  lastUs: Micros;
}

export interface WatermarkPolicy {
  /** How far behind the clock it is, so that what is on its way may arrive. */
  behindUs: number;
  /** So long a connection without proof of life holds it; then it passes and the state is unknown. */
  heldAtMostUs: number;
}

export const defaultWatermark: WatermarkPolicy = { behindUs: 2 * secondUs, heldAtMostUs: 15 * minuteUs };

export interface WatermarkStep {
  watermark: Micros;
  /** Connections that are taken for lost from their last proof of life on: a gap begins there, not when it was noticed. */
  lost: ProofOfLife[];
}

/**
 * The watermark of an equipment at `nowUs`. It stays behind the clock, never passes the last proof of life of a connection that feeds the equipment while that may still
 * speak, and never goes back.
 */
export function nextWatermark(
  before: Micros,
  nowUs: Micros,
  feeds: readonly ProofOfLife[],
  policy: WatermarkPolicy = defaultWatermark,
): WatermarkStep {
  const lost: ProofOfLife[] = [];
  let watermark = nowUs - policy.behindUs;
  for (const proof of feeds) {
    if (nowUs - proof.lastUs > policy.heldAtMostUs) lost.push(proof);
    else watermark = Math.min(watermark, proof.lastUs);
  }
  return { watermark: Math.max(before, watermark), lost };
}
