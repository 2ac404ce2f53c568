import { type ReactNode, useEffect, useRef, useState } from "react";

/** So far beyond the screen things are drawn already, so that scrolling does not overtake them. */
const marginPx = 600;
/** More than a screen: what a page begins with is drawn at once. */
export const firstRows = 6;

/**
 * Draws what is on the screen or near it; elsewhere its place is kept by an empty box of the same height. A plant of a thousand machines costs what a screen of them
 * does.
 */
export function WhenNear({ height, first, children }: { height: number; first: boolean; children: () => ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(first);
  const [known, setKnown] = useState<number | null>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        // What leaves keeps the height that it had.
        if (!entry.isIntersecting) setKnown(entry.boundingClientRect.height);
        setNear(entry.isIntersecting);
      },
      { rootMargin: `${marginPx}px 0px` },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={box} style={near ? undefined : { height: known ?? height }}>
      {near ? children() : null}
    </div>
  );
}
