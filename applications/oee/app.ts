import { connectLineshaft, type Platform, runApplication } from "@lineshaft/client";
import { type ResultPeriod, resultPeriods } from "@lineshaft/contract/api";
import { compute, ruleVersion } from "./compute.ts";

const periods: ResultPeriod[] = [...resultPeriods];

/** Under which name the application takes part. */
export const applicationName = "oee";

export interface OeeOptions {
  signal: AbortSignal;
  log(text: string): void;
}

/** Publishes OEE over the network until the signal is aborted. */
export async function start(options: { url: string; key: string } & OeeOptions): Promise<void> {
  const platform = connectLineshaft({ url: options.url, key: options.key });
  try {
    await publishOee(platform, options);
  } finally {
    platform.close();
  }
}

/** Computes whatever the platform says is dirty, and publishes it. Everything that has to be remembered the platform remembers: a restart just goes on. */
export function publishOee(platform: Platform, options: OeeOptions): Promise<void> {
  return runApplication(platform, { name: applicationName, ruleVersion, periods, compute }, options);
}
