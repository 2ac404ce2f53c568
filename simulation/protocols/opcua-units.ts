/** A unit as OPC UA tells it: the UN/CEFACT code behind EUInformation.unitId, its symbol and name, and a range that fits this plant's machines. */
export interface OpcUaUnit {
  /** UN/CEFACT common code (OPC 10000-8, EUInformation); null: there is none for it, as for bottles. */
  code: string | null;
  symbol: string;
  name: string;
  low: number;
  high: number;
}

/** By UCUM code. */
export const opcUaUnits: Record<string, OpcUaUnit> = {
  Cel: { code: "CEL", symbol: "°C", name: "degree Celsius", low: -20, high: 300 },
  kPa: { code: "KPA", symbol: "kPa", name: "kilopascal", low: -100, high: 400 },
  "%": { code: "P1", symbol: "%", name: "percent", low: 0, high: 150 },
  A: { code: "AMP", symbol: "A", name: "ampere", low: 0, high: 50 },
  "{rev}/min": { code: "RPM", symbol: "r/min", name: "revolutions per minute", low: 0, high: 20_000 },
  "{bottles}/h": { code: null, symbol: "bottles/h", name: "bottles per hour", low: 0, high: 60_000 },
};
