/**
 * EUInformation (Part 8, 5.6.4) to UCUM. `unitId` holds the UN/CEFACT common code as the bytes of its letters (Annex of Part 8);
 * the table has what machines use. What it does not have keeps its display name, which is often UCUM already.
 */
const ucumByCommonCode: Record<string, string> = {
  // time and counting
  SEC: "s",
  C26: "ms",
  B98: "us",
  MIN: "min",
  HUR: "h",
  DAY: "d",
  C62: "1",
  P1: "%",
  EA: "1",
  H87: "1",
  // length, area, volume
  MTR: "m",
  MMT: "mm",
  CMT: "cm",
  "4H": "um",
  KMT: "km",
  MTK: "m2",
  MMK: "mm2",
  CMK: "cm2",
  MTQ: "m3",
  LTR: "L",
  MLT: "mL",
  CMQ: "cm3",
  INH: "[in_i]",
  FOT: "[ft_i]",
  // mass, force, pressure, torque
  KGM: "kg",
  GRM: "g",
  MGM: "mg",
  TNE: "t",
  LBR: "[lb_av]",
  NEW: "N",
  B47: "kN",
  PAL: "Pa",
  HPA: "hPa",
  KPA: "kPa",
  MPA: "MPa",
  BAR: "bar",
  MBR: "mbar",
  PS: "[psi]",
  NU: "N.m",
  // temperature
  CEL: "Cel",
  KEL: "K",
  FAH: "[degF]",
  // electricity and energy
  AMP: "A",
  "4K": "mA",
  VLT: "V",
  "2Z": "mV",
  KVT: "kV",
  WTT: "W",
  KWT: "kW",
  MAW: "MW",
  VA: "V.A",
  KVA: "kV.A",
  D46: "V.A",
  JOU: "J",
  KJO: "kJ",
  WHR: "W.h",
  KWH: "kW.h",
  MWH: "MW.h",
  OHM: "Ohm",
  FAR: "F",
  HTZ: "Hz",
  KHZ: "kHz",
  MHZ: "MHz",
  // motion and flow
  MTS: "m/s",
  KMH: "km/h",
  "2X": "m/min",
  C16: "mm/s",
  MSK: "m/s2",
  RPM: "/min",
  RPS: "/s",
  C65: "mrad",
  C81: "rad",
  DD: "deg",
  MQH: "m3/h",
  MQS: "m3/s",
  L2: "L/min",
  KGS: "kg/s",
  E93: "kg/h",
  LUX: "lx",
  "2N": "dB",
};

/** The UCUM unit; undefined where the server names none. */
export function unitOf(unitId: number, displayName: string | null): string | undefined {
  const letters = [24, 16, 8, 0].map((shift) => (unitId >>> shift) & 0xff).filter((byte) => byte !== 0);
  const ucum = unitId > 0 ? ucumByCommonCode[String.fromCharCode(...letters)] : undefined;
  return ucum ?? (displayName?.trim() || undefined);
}
