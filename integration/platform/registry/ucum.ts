/**
 * Is a text a UCUM code (case-sensitive, https://ucum.org/ucum §2.1 for the grammar)? Knows the atoms that occur in industry, laboratories and
 * trade, not the medical and historical rest. It checks form and atoms; it does not convert.
 */

const prefixes = "Y Z E P T G M k h da d c m u n p f a z y Ki Mi Gi Ti".split(" ");

/** Atoms that take a prefix. */
const metric = new Set(
  (
    "m s g rad K C cd mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv l L ar t bar u eV pc kat U " +
    "[c] [h] [k] [eps_0] [mu_0] [e] [m_e] [m_p] [G] [g] [ly] gf Ky Gal dyn erg P Bi St Mx G Oe Gb sb Lmb ph Ci R RAD REM " +
    "cal_[15] cal_[20] cal_m cal_IT cal_th cal tex m[H2O] m[Hg] Np B B[SPL] B[V] B[mV] B[uV] B[10.nV] B[W] B[kW] " +
    "st b att mho bit By Bd eq osm g% [iU] [IU]"
  ).split(" "),
);

const nonMetric = new Set(
  (
    "10* 10^ [pi] % [ppth] [ppm] [ppb] [pptr] gon deg ' '' min h d a_t a_j a_g a wk mo_s mo_j mo_g mo AU [lbf_av] " +
    "[in_i] [ft_i] [yd_i] [mi_i] [fth_i] [nmi_i] [kn_i] [sin_i] [sft_i] [syd_i] [cin_i] [cft_i] [cyd_i] [bf_i] [cr_i] " +
    "[mil_i] [cml_i] [hd_i] [ft_us] [yd_us] [in_us] [rd_us] [ch_us] [fth_us] [fur_us] [mi_us] [acr_us] [srd_us] [smi_us] " +
    "[mil_us] [in_br] [ft_br] [yd_br] [mi_br] [acr_br] [gal_us] [bbl_us] [qt_us] [pt_us] [gil_us] [foz_us] [fdr_us] " +
    "[bu_us] [pk_us] [cup_us] [tbs_us] [tsp_us] [cup_m] [tsp_m] [gal_br] [qt_br] [pt_br] [foz_br] [bu_br] [pk_br] " +
    "[gr] [lb_av] [oz_av] [dr_av] [scwt_av] [lcwt_av] [ston_av] [lton_av] [stone_av] [pwt_tr] [oz_tr] [lb_tr] [lne] [pnt] " +
    "[pca] [degF] [degR] [degRe] [Cal] [Btu_39] [Btu_59] [Btu_60] [Btu_m] [Btu_IT] [Btu_th] [Btu] [HP] [den] [in_i'H2O] " +
    "[in_i'Hg] [psi] circ sph [car_m] [car_Au] [smgy] bit_s Ao atm att [pH] %[slope] [mesh_i] [CFU] [arb'U] [drp] [S] [bdsk'U]"
  ).split(" "),
);

/** Why `code` is no UCUM unit, or null when it is one. */
export function unitFault(code: string): string | null {
  if (code === "") return "it is empty (a pure number has the unit 1).";
  if (code.length > 64) return "it has more than 64 characters.";
  if (!/^[\x21-\x7e]+$/.test(code)) return "UCUM codes are ASCII without spaces.";
  const tokens = tokenize(code);
  let at = 0;

  const component = (): string | null => {
    const token = tokens[at++];
    if (token === undefined) return "a unit is missing at the end.";
    if (token === "(") {
      const fault = term();
      if (fault !== null) return fault;
      return tokens[at++] === ")" ? null : "a closing parenthesis is missing.";
    }
    if (/^[./)]$/.test(token)) return `a unit is missing before "${token}".`;
    if (isAnnotation(token)) return null;
    const fault = symbolFault(token);
    if (fault === null && tokens[at] !== undefined && isAnnotation(tokens[at]) && !/^\d+$/.test(token)) at++;
    return fault;
  };
  const term = (): string | null => {
    let fault = component();
    while (fault === null && (tokens[at] === "." || tokens[at] === "/")) {
      at++;
      fault = component();
    }
    return fault;
  };

  if (tokens[0] === "/") at++;
  const fault = term();
  if (fault !== null) return fault;
  return at === tokens.length ? null : `"${tokens[at]}" is not expected there.`;
}

/** Operators, parentheses, annotations in braces, and symbols (with what stands in square brackets). */
function tokenize(code: string): string[] {
  return code.match(/\{[^{}]*\}|[./()]|(?:\[[^[\]]*\]|[^./(){}[\]])+|./g) ?? [];
}

function isAnnotation(token: string): boolean {
  return token.length >= 2 && token.startsWith("{") && token.endsWith("}");
}

function symbolFault(symbol: string): string | null {
  if (/^\d+$/.test(symbol) || isUnit(symbol)) return null;
  const base = /^(.+?)[+-]?\d+$/.exec(symbol);
  return base !== null && isUnit(base[1]) ? null : `"${symbol}" is not a known unit.`;
}

function isUnit(symbol: string): boolean {
  if (metric.has(symbol) || nonMetric.has(symbol)) return true;
  return prefixes.some((prefix) => symbol.startsWith(prefix) && metric.has(symbol.slice(prefix.length)));
}
