import { ProblemError } from "@lineshaft/contract/api";

/** What of a document is told, in its order. Names come without their namespace prefix. */
export interface XmlHandler {
  open(name: string, attributes: ReadonlyMap<string, string>): void;
  text(text: string): void;
  close(name: string): void;
}

/** Nothing that a spreadsheet program writes comes near them (A51). */
export const xmlLimits = { depth: 64, elements: 5_000_000, attributes: 64 } as const;

const named: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const attribute = /\s+([^\s=/>]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const nameEnd = /[\s/>]/g;

/**
 * Reads a document once from front to back. There is no DTD, so no entity of its own and nothing that is fetched (A49, A50): a document with
 * a DOCTYPE is refused before anything else of it is looked at.
 */
export function readXml(text: string, handler: XmlHandler): void {
  if (/<!DOCTYPE/i.test(text)) throw new ProblemError("xml_doctype", "The document has a DOCTYPE.");
  const open: string[] = [];
  let elements = 0;
  let at = 0;
  const until = (mark: string, from: number): number => {
    const found = text.indexOf(mark, from);
    if (found < 0) throw invalid(`${JSON.stringify(mark)} is missing`, from);
    return found;
  };
  while (at < text.length) {
    const tag = text.indexOf("<", at);
    const content = tag < 0 ? text.slice(at) : text.slice(at, tag);
    if (content !== "" && open.length > 0) handler.text(decoded(content, at));
    if (tag < 0) break;
    if (text.startsWith("<!--", tag)) at = until("-->", tag + 4) + 3;
    else if (text.startsWith("<![CDATA[", tag)) {
      const end = until("]]>", tag);
      handler.text(text.slice(tag + 9, end));
      at = end + 3;
    } else if (text.startsWith("<?", tag)) at = until("?>", tag) + 2;
    else if (text[tag + 1] === "/") {
      const end = until(">", tag);
      const name = local(text.slice(tag + 2, end).trim());
      if (open.pop() !== name) throw invalid(`</${name.slice(0, 50)}> closes nothing`, tag);
      handler.close(name);
      at = end + 1;
    } else {
      nameEnd.lastIndex = tag + 1;
      const end = nameEnd.exec(text)?.index ?? text.length;
      const name = local(text.slice(tag + 1, end));
      const attributes = new Map<string, string>();
      attribute.lastIndex = end;
      at = end;
      for (let match = attribute.exec(text); match !== null; match = attribute.exec(text)) {
        if (attributes.size >= xmlLimits.attributes) throw tooMuch("attributes at one element", xmlLimits.attributes);
        attributes.set(match[1], decoded(match[2] ?? match[3], at));
        at = attribute.lastIndex;
      }
      while (/\s/.test(text[at] ?? "")) at++;
      const empty = text[at] === "/";
      if (text[empty ? at + 1 : at] !== ">") throw invalid(`<${name.slice(0, 50)} is not closed`, tag);
      at += empty ? 2 : 1;
      if (++elements > xmlLimits.elements) throw tooMuch("elements", xmlLimits.elements);
      handler.open(name, attributes);
      if (empty) handler.close(name);
      else if (open.push(name) > xmlLimits.depth) throw tooMuch("levels", xmlLimits.depth);
    }
  }
  if (open.length > 0) throw invalid(`<${open[open.length - 1].slice(0, 50)}> is not closed`, text.length);
}

function local(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function decoded(text: string, at: number): string {
  if (!text.includes("&")) return text;
  return text.replace(/&([^;\s&]{0,10});?/g, (whole, name: string) => {
    const number = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    const code = number === null ? null : number[1] === undefined ? Number(number[2]) : Number.parseInt(number[1], 16);
    const character = code === null ? named[name] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    if (character === undefined || !whole.endsWith(";")) throw invalid(`${whole.slice(0, 20)} is no character`, at);
    return character;
  });
}

const invalid = (what: string, at: number): ProblemError =>
  new ProblemError("xml_invalid", `The document is no well-formed XML: ${what} (at character ${at}).`);
const tooMuch = (what: string, most: number): ProblemError =>
  new ProblemError("xml_limits", `The document has more than ${most} ${what}.`);
