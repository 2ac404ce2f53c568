/** Facts that systems record: of units, lots, tests, samples, maintenance and energy. Begin with `service.ts`. */
export { type FactRecordService, openFactRecords } from "./service.ts";
