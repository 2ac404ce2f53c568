import { dayUs } from "@lineshaft/contract/api";

/** How long facts are kept, and how far back a new binding is derived. */
export const factsKeptUs = 32 * dayUs;
