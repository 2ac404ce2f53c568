import { useEffect, useRef } from "react";
import { readScan, type Scan, WedgeScanner } from "./scanner.ts";

/** Hears a scanner wherever the focus is, except in a field, where its keys belong. */
export function useScanner(onScan: (scan: Scan, code: string) => void): void {
  const heard = useRef(onScan);
  heard.current = onScan;
  useEffect(() => {
    const scanner = new WedgeScanner();
    const onKey = (event: KeyboardEvent): void => {
      if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey) return;
      const code = scanner.key(event.key, event.timeStamp);
      if (code === null) return;
      // The Enter of a scan presses no button.
      event.preventDefault();
      event.stopPropagation();
      heard.current(readScan(code), code);
    };
    addEventListener("keydown", onKey, true);
    return () => removeEventListener("keydown", onKey, true);
  }, []);
}
