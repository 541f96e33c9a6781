/** What was done to machines and links, when, and what it cost. */
import pl, { type DataFrame } from 'nodejs-polars';
import { endOf, faultWords, machinesOf } from '../model/faults.ts';
import { frameOf } from './columns.ts';
import { type Run, secondsOf } from './load.ts';
import { eachInTime, type Log, NONE } from './log.ts';
import { eachMessage } from './messages.ts';

/** A fault as it happened, in model seconds: as it was measured, else as it was planned. */
export interface Span {
  /** 'pause 0 at 10 for 3'. */
  text: string;
  do: 'pause' | 'crash' | 'cut';
  /** The machine, or both ends of the link. */
  machines: number[];
  from_s: number;
  to_s: number;
  /** It lasts to the end of the run. */
  for_good: boolean;
}

/** The faults of a run that were done, in the order of time. */
export function spansOf(run: Run): Span[] {
  if (run.run.kind === 'foreign' || !run.run.faults) return [];
  const seconds = secondsOf(run);
  const done = run.run.faults.filter(({ from_us }) => run.run.kind === 'virtual' || from_us);
  return done.map((fault): Span => {
    const { at_s, for_s, from_us, to_us } = fault;
    const planned_s = endOf(fault, run.run.duration_s);
    const for_good = for_s === null || at_s + for_s >= run.run.duration_s;
    return { text: faultWords(fault), do: fault.do, machines: machinesOf(fault), for_good,
      from_s: from_us ? seconds(from_us[0]) : at_s,
      to_s: to_us ? seconds(to_us[1]) : for_good ? Math.max(run.end_s, at_s) : planned_s };
  }).sort((one, other) => one.from_s - other.from_s);
}

/** What a fault cost one machine. NaN is what cannot be said. */
export interface Cost {
  span: Span;
  machine: number;
  /** Messages to it that were never taken; of a crash also its own that got lost on the way. */
  messages_lost: number;
  ticks_skipped: number;
  /** How far it was behind the highest clock when the fault began, and when it was over. */
  lag_before: number;
  lag_after: number;
  /** Seconds from the end of the fault until it was no more behind than before. */
  caught_up_s: number;
}

/** What the faults of a run cost, a row for each machine that was hit; of a cut these are two. */
export function costsOf(run: Run): Cost[] {
  const costs = spansOf(run).flatMap((span) => span.machines.map((machine): Cost => ({
    span, machine, messages_lost: 0, ticks_skipped: skipped(run, span, machine),
    lag_before: NaN, lag_after: NaN, caught_up_s: NaN,
  })));
  if (costs.length === 0) return costs;
  countLost(run, costs);
  measureLags(run, costs);
  return costs;
}

/** How many ticks a machine left out, by the numbers of those before and after. */
function skipped(run: Run, { do: what, from_s, to_s, for_good }: Span, machine: number): number {
  if (what === 'cut') return 0;
  const log = run.logs[machine]!;
  const seconds = secondsOf(run);
  let [before, after] = [-1, NaN];
  for (let r = 0; r < log.rows; r++) {
    if (log.tick[r]! < 0) continue;
    const time_s = seconds(log.time_us[r]!);
    if (time_s <= from_s) before = log.tick[r]!;
    // A pause ends with the tick that came due last, at that very time.
    else if (Number.isNaN(after) && time_s >= to_s - 1e-6) after = log.tick[r]!;
  }
  if (!Number.isNaN(after)) return after - before - 1;
  const rate_hz = run.run.rates_hz[machine];
  return for_good && rate_hz ? Math.max(0, Math.floor(rate_hz * (to_s - from_s))) : NaN;
}

/** Counts for each fault the messages that it swallowed. */
function countLost(run: Run, costs: Cost[]): void {
  const seconds = secondsOf(run);
  // Of each channel when its last message that was taken was sent: what is older is lost.
  const channel = (from: number, to: number) => from * run.logs.length + to;
  const last_s = new Map<number, number>();
  const untaken: { from: number; to: number; sent_s: number }[] = [];
  eachMessage(run, (log, r, to, taken) => {
    const sent_s = seconds(log.time_us[r]!);
    if (taken !== NONE) last_s.set(channel(log.machine, to), sent_s);
    else untaken.push({ from: log.machine, to, sent_s });
  });
  for (const { from, to, sent_s } of untaken) {
    const isLost = sent_s < (last_s.get(channel(from, to)) ?? -Infinity);
    const cause = costs.find(({ span, machine }) => {
      const { do: what, machines, from_s, to_s } = span;
      if (what === 'crash' && machine === to) return sent_s <= to_s;
      if (what === 'crash' && machine === from) return isLost && sent_s <= from_s;
      const across = what === 'cut' && machine === to && machines.includes(from);
      return across && sent_s <= to_s && (isLost || sent_s >= from_s);
    });
    if (cause) cause.messages_lost++;
  }
}

/** Finds how far behind each machine was, before and after, and when it had caught up. */
function measureLags(run: Run, costs: Cost[]): void {
  const seconds = secondsOf(run);
  const clocks = run.logs.map(() => 0);
  let front = 0;
  const look = (time_s: number) => {
    for (const cost of costs) {
      const { span: { from_s, to_s, for_good }, machine } = cost;
      const lag = front - clocks[machine]!;
      if (time_s > from_s && Number.isNaN(cost.lag_before)) cost.lag_before = lag;
      if (for_good || time_s <= to_s) continue;
      if (Number.isNaN(cost.lag_after)) cost.lag_after = lag;
      if (Number.isNaN(cost.caught_up_s) && lag <= cost.lag_before) {
        cost.caught_up_s = time_s - to_s;
      }
    }
  };
  eachInTime(run.logs, (log: Log, r) => {
    const time_s = seconds(log.time_us[r]!);
    look(time_s);
    clocks[log.machine] = log.clock[r]!;
    front = Math.max(front, log.clock[r]!);
  });
  look(Infinity);
  for (const cost of costs) if (!Number.isFinite(cost.caught_up_s)) cost.caught_up_s = NaN;
}

/**
 * What the faults of a run cost, one row for each machine that was hit: `fault` (in words), `do`,
 * `machine`, `from_s`, `to_s`, `messages_lost` (to it, or its own that got lost on the way),
 * `ticks_skipped`, `lag_before`, `lag_after`, `caught_up_s` (from the fault's end until it was no
 * more behind than before). What cannot be said is null.
 */
export function faults(run: Run): DataFrame {
  const costs = costsOf(run);
  const numbers = (value: (cost: Cost) => number) =>
    costs.map((cost) => (Number.isNaN(value(cost)) ? null : value(cost)));
  return frameOf({
    fault: [costs.map(({ span }) => span.text), pl.Utf8],
    do: [costs.map(({ span }) => span.do), pl.Utf8],
    machine: [numbers(({ machine }) => machine), pl.Int32],
    from_s: [numbers(({ span }) => span.from_s), pl.Float64],
    to_s: [numbers(({ span }) => span.to_s), pl.Float64],
    messages_lost: [numbers((cost) => cost.messages_lost), pl.Int64],
    ticks_skipped: [numbers((cost) => cost.ticks_skipped), pl.Int64],
    lag_before: [numbers((cost) => cost.lag_before), pl.Int64],
    lag_after: [numbers((cost) => cost.lag_after), pl.Int64],
    caught_up_s: [numbers((cost) => cost.caught_up_s), pl.Float64],
  });
}
