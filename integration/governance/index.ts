/** Layer 4: who may do what, how much, and what is measured. */
export { type IdentityOptions, type OwnedIdentity, openIdentity } from "./identity.ts";
export { createMetrics, type Metric, type Metrics, metricsTable } from "./metrics.ts";
export { createRateLimiter, type RateLimit, type RateLimiter } from "./rate-limiter.ts";
