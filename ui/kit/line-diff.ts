export interface DiffLine {
  kind: "same" | "removed" | "added";
  text: string;
  /** Number of the line in the older and in the newer text, from 1; null where it is not there. */
  before: number | null;
  after: number | null;
}

/** Beyond so many differing lines the middle is told as removed and added as a whole: exact still, no longer the shortest. */
const editsMax = 1500;

/** Which lines differ between two texts, by Myers' greedy algorithm. */
export function lineDiff(older: string, newer: string): DiffLine[] {
  const a = older === "" ? [] : older.replace(/\n$/, "").split("\n");
  const b = newer === "" ? [] : newer.replace(/\n$/, "").split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const lines: DiffLine[] = [];
  let before = 0;
  let after = 0;
  const same = (): void => {
    lines.push({ kind: "same", text: a[before], before: ++before, after: ++after });
  };
  const removed = (): void => {
    lines.push({ kind: "removed", text: a[before], before: ++before, after: null });
  };
  const added = (): void => {
    lines.push({ kind: "added", text: b[after], before: null, after: ++after });
  };
  while (before < head) same();
  for (const step of edits(a.slice(head, a.length - tail), b.slice(head, b.length - tail))) {
    if (step === "same") same();
    else if (step === "removed") removed();
    else added();
  }
  while (before < a.length) same();
  return lines;
}

function edits(a: readonly string[], b: readonly string[]): DiffLine["kind"][] {
  const most = Math.min(a.length + b.length, editsMax);
  const offset = most + 1;
  const reach = new Int32Array(2 * most + 3);
  const trail: Int32Array[] = [];
  for (let d = 0; d <= most; d++) {
    trail.push(reach.slice());
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach[offset + k - 1] < reach[offset + k + 1]);
      let x = down ? reach[offset + k + 1] : reach[offset + k - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(trail, offset, a.length, b.length);
    }
  }
  return [...a.map(() => "removed" as const), ...b.map(() => "added" as const)];
}

function walkBack(trail: readonly Int32Array[], offset: number, aEnd: number, bEnd: number): DiffLine["kind"][] {
  const steps: DiffLine["kind"][] = [];
  let x = aEnd;
  let y = bEnd;
  for (let d = trail.length - 1; d >= 0; d--) {
    const reach = trail[d];
    const k = x - y;
    const down = k === -d || (k !== d && reach[offset + k - 1] < reach[offset + k + 1]);
    const fromK = down ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : reach[offset + fromK];
    const fromY = d === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY && (d > 0 || x > 0)) {
      steps.push("same");
      x--;
      y--;
    }
    if (d === 0) break;
    if (down) {
      steps.push("added");
      y--;
    } else {
      steps.push("removed");
      x--;
    }
  }
  return steps.reverse();
}

/** Only what differs, with a few lines around it; null stands for what was left out. */
export function withContext(lines: readonly DiffLine[], around = 3): (DiffLine | null)[] {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ kind }, i) => {
    if (kind !== "same") near.fill(1, Math.max(0, i - around), i + around + 1);
  });
  const shown: (DiffLine | null)[] = [];
  lines.forEach((line, i) => {
    if (near[i] === 1) shown.push(line);
    else if (shown[shown.length - 1] !== null) shown.push(null);
  });
  return shown;
}
