import { type DemoFaults, dayUs } from "@lineshaft/contract/api";
import { Button, EmptyState, type PageContext, useLoaded } from "@lineshaft/ui/kit";
import { useState } from "react";
import {
  type Comparison,
  cellsFrom,
  compare,
  comparedCounts,
  comparedRange,
  comparedShares,
  heardFrom,
  type Pair,
} from "./demo-model.ts";
import "./oee.css";
import { eachOf, numbersOf, shiftAt } from "./source.ts";
import { type Say, textsOf } from "./texts.ts";
import { type Plant, useKept, usePlant } from "./use-plant.ts";

/** Does it tell the truth? Something can be broken, and what is computed stands beside what really happened. */
export default function DemoPage({ context }: { context: PageContext }) {
  const t = textsOf(context);
  const plant = usePlant(context);
  if (!context.session.demo) return <EmptyState title={t("demo.none")} />;
  if (plant.data === null)
    return plant.error === null ? (
      <p className="quiet-wait">{t("wait.plant")}</p>
    ) : (
      <context.Problem error={plant.error} />
    );
  return (
    <div className="page-scroll oee-page demo-page">
      <Truth plant={plant.data} context={context} t={t} />
      <Faults context={context} t={t} />
    </div>
  );
}

function Truth({ plant, context, t }: { plant: Plant; context: PageContext; t: Say }) {
  const machines = plant.sites.flatMap(({ lines }) => lines.flatMap((line) => line.machines));
  const [first, setFirst] = useState<readonly Row[]>([]);
  const loaded = useLoaded(
    `truth ${machines.map(({ id }) => id).join()}`,
    async (signal) => {
      const nowUs = context.nowUs();
      // The plant plays its shift again for each answer: two at a time are enough.
      const found = new Map<number, Row | null>();
      const rows = await eachOf(
        machines,
        async (machine) => {
          const row = await compared(machine, nowUs, context, signal);
          found.set(machine.id, row);
          // The first of them is worth seeing while the last is still played.
          if (!signal.aborted) setFirst(machines.flatMap(({ id }) => found.get(id) ?? []));
          return row;
        },
        2,
      );
      return rows.filter((row) => row !== null);
    },
    60_000,
  );
  const all = useKept("truth", loaded.data);
  const rows = all ?? (first.length > 0 ? first : null);
  const { format } = context;
  return (
    <section className="demo-truth" aria-label={t("demo.truth")}>
      <h2>{t("demo.truth")}</h2>
      <p className="oee-hint">{t("demo.truthHint")}</p>
      {loaded.error !== null && (
        <context.Problem error={loaded.error}>
          <Button onClick={loaded.reload}>{t("tryAgain")}</Button>
        </context.Problem>
      )}
      {rows === null ? (
        loaded.error === null && <p className="quiet-wait">{t("wait.truth")}</p>
      ) : (
        <table className="plain demo-table">
          <thead>
            <tr>
              <th>{t("machine.choose")}</th>
              <th>{t("demo.compared")}</th>
              {comparedShares.map((name) => (
                <th key={name} className="right">
                  {t(name === "oee" ? "kpi.oeeIndex" : `kpi.${name}`)}
                </th>
              ))}
              {comparedCounts.map((name) => (
                <th key={name} className="right">
                  {t(`kpi.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ machine, pairs, fromUs, toUs }) => (
              <tr key={machine.id} data-machine={machine.path}>
                <th scope="row">
                  <a {...context.link("machine", { id: machine.id, from: fromUs, to: toUs })}>{machine.name}</a>
                </th>
                {pairs === null ? (
                  <td className="soft" colSpan={1 + comparedShares.length + comparedCounts.length}>
                    {t("demo.notYet")}
                  </td>
                ) : (
                  <>
                    <td className="soft">
                      {format.part(fromUs, "min")}–{format.part(toUs, "min")}
                    </td>
                    {comparedShares.map((name) => (
                      <PairCell key={name} pair={pairs[name]} text={(n) => format.percent(n)} t={t} />
                    ))}
                    {comparedCounts.map((name) => (
                      <PairCell key={name} pair={pairs[name]} text={(n) => format.number(n, 0)} t={t} />
                    ))}
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** A machine with both numbers of a time; without any while no whole quarter of an hour of it was heard. */
type Row = Omit<Comparison, "pairs"> & { pairs: Comparison["pairs"] | null; fromUs: number; toUs: number };

async function compared(
  machine: Plant["equipment"][number],
  nowUs: number,
  { platform }: PageContext,
  signal: AbortSignal,
): Promise<Row | null> {
  const around = { equipmentId: machine.id, from: Math.round(nowUs - dayUs), to: Math.round(nowUs) + 1 };
  const { items } = await platform.call("listShifts", { query: around, signal });
  const range = comparedRange(shiftAt(items, nowUs), nowUs);
  if (range === null) return null;
  const query = { from: range.fromUs, to: range.toUs };
  const cells = await platform.call("listCells", { params: { id: machine.id }, query, signal });
  const from = heardFrom(cells, range);
  if (from === null) return { machine, pairs: null, ...range };
  const truth = await platform.call("getDemoTruth", { query: { ...query, equipment: machine.path, from }, signal });
  return { ...compare(machine, numbersOf(cellsFrom(cells, from)), truth), fromUs: from, toUs: range.toUs };
}

function PairCell({ pair, text, t }: { pair: Pair; text(n: number): string; t: Say }) {
  const { computed, truth, differs } = pair;
  const say = (n: number | null): string => (n === null ? "–" : text(n));
  return (
    <td
      className={`right pair ${differs ? "differs" : ""}`}
      title={t("demo.pair", { computed: say(computed), truth: say(truth) })}
    >
      {say(computed)}
      <span className="soft">{say(truth)}</span>
    </td>
  );
}

const faultsEveryMs = 2_000;

function Faults({ context, t }: { context: PageContext; t: Say }) {
  const loaded = useLoaded("faults", (signal) => context.platform.call("getDemoFaults", { signal }), faultsEveryMs);
  const menu = useKept<DemoFaults>("faults", loaded.data);
  const [machine, setMachine] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [numbers, setNumbers] = useState<Record<string, number>>({});
  const [busy, setBusy] = useState(false);
  if (menu === null)
    return loaded.error === null ? (
      <p className="quiet-wait">{t("wait.plant")}</p>
    ) : (
      <context.Problem error={loaded.error} />
    );
  const chosen = menu.machines.find((one) => one.machine === machine) ?? menu.machines[0];
  const offered = menu.faults.filter((one) => chosen?.faults.includes(one.fault));
  const entry = offered.find((one) => one.fault === fault) ?? offered[0];
  const begin = async (): Promise<void> => {
    if (chosen === undefined || entry === undefined) return;
    setBusy(true);
    try {
      const body = { machine: chosen.machine, fault: entry.fault, numbers };
      const { affected } = await context.platform.call("orderDemoFault", { body });
      context.note(t("demo.began", { fault: entry.fault, machines: affected.join(", ") }));
      loaded.reload();
    } catch (error) {
      context.fault(error, t("demo.notBegun"));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="demo-faults" aria-label={t("demo.faults")}>
      <h2>{t("demo.faults")}</h2>
      <p className="oee-hint">{t("demo.faultsHint")}</p>
      <div className="demo-order">
        <label>
          {t("machine.choose")}
          <select
            className="input"
            value={chosen?.machine ?? ""}
            onChange={(event) => {
              setMachine(event.target.value);
              setFault(null);
              setNumbers({});
            }}
          >
            {menu.machines.map((one) => (
              <option key={one.machine} value={one.machine}>
                {one.machine} ({one.protocol})
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("demo.fault")}
          <select
            className="input"
            value={entry?.fault ?? ""}
            onChange={(event) => {
              setFault(event.target.value);
              setNumbers({});
            }}
          >
            {offered.map((one) => (
              <option key={one.fault} value={one.fault}>
                {one.fault}
              </option>
            ))}
          </select>
        </label>
        {Object.entries(entry?.parameters ?? {}).map(([name, parameter]) => (
          <label key={name} title={parameter.text}>
            {name}
            <input
              className="input"
              type="number"
              min={parameter.minimum}
              max={parameter.maximum}
              value={numbers[name] ?? parameter.default}
              onChange={(event) => setNumbers({ ...numbers, [name]: Number(event.target.value) })}
            />
          </label>
        ))}
        <Button
          kind="danger"
          disabled={busy || entry === undefined || !context.may("configure")}
          onClick={() => void begin()}
        >
          {t("demo.begin")}
        </Button>
      </div>
      {entry !== undefined && <p>{entry.text}</p>}
      <h3>{t("demo.active")}</h3>
      {menu.active.length === 0 ? (
        <p className="oee-hint">{t("demo.quiet")}</p>
      ) : (
        <ul className="demo-active">
          {menu.active.map((one) => (
            <li key={`${one.machine} ${one.fault}`}>
              <b>{one.fault}</b> {one.affected.join(", ")}{" "}
              <span className="soft">{t("demo.left", { time: context.format.duration(one.secondsLeft * 1e6) })}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
