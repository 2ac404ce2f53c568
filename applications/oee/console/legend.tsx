import { StateMark, stateClasses } from "@lineshaft/ui/kit";
import { type Say, stateWord } from "./texts.ts";

/** What the colours and patterns mean. */
export function Legend({ t }: { t: Say }) {
  return (
    <ul className="state-legend">
      {stateClasses.map((state) => (
        <li key={state}>
          <StateMark state={state} /> {stateWord(t, state)}
        </li>
      ))}
    </ul>
  );
}
