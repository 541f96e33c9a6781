/**
 * What was done to machines and links, and what it may excuse: a crash loses what it held, a cut
 * what was under way, a pause nothing. Whatever a fault may not excuse stays a violation.
 */
import { nemesisOf } from './chance.ts';
import { blame, died, has, ms, us, type Context } from './context.ts';
import { RESTART, type Log } from './read.ts';
import { machinesOf, type Fault, type Run } from './record.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const LATE = {
  fault_us: 1_000_000, // a launcher that does a fault so much later did not keep its schedule
  links_us: 3_000_000, // a machine that returns waits two seconds for its links, and starts first
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** A fault in the logs' time: it began between two readings of the clock, and ended so. */
export interface Window {
  fault: Fault;
  from: readonly [number, number];
  /** Infinity if it did not end before the run. */
  to: readonly [number, number];
}

const NEVER = [Infinity, Infinity] as const;

/** When a fault is over, model seconds: what has no end, or a later one, ends with the run. */
export const endOf = ({ duration_s }: Run, { at_s, for_s }: Fault): number =>
  Math.min(for_s === null ? Infinity : at_s + for_s, duration_s);

function windowOf(context: Context, fault: Fault): Window | null {
  if (context.run.kind === 'virtual') {
    const [from_us, to_us] = [us(context, fault.at_s), us(context, endOf(context.run, fault))];
    const open = fault.do === 'crash' && endOf(context.run, fault) >= context.run.duration_s;
    return { fault, from: [from_us, from_us], to: open ? NEVER : [to_us, to_us] };
  }
  return fault.from_us ? { fault, from: fault.from_us, to: fault.to_us ?? NEVER } : null;
}

/** Pauses and crashes of a machine, in order; those that were never done are left out. */
export function windowsOf(context: Context, id: number): Window[] {
  if (context.run.faults.length === 0) return [];
  const own = context.run.faults.filter(({ machine }) => machine === id);
  return own.flatMap((fault) => windowOf(context, fault) ?? [])
    .sort((a, b) => a.from[0] - b.from[0]);
}

/** Cuts of the link of two machines, in order. */
export function cutsOf(context: Context, i: number, j: number): Window[] {
  if (context.run.faults.length === 0) return [];
  return context.run.faults.filter(({ link }) => link?.includes(i) && link.includes(j))
    .flatMap((fault) => windowOf(context, fault) ?? []).sort((a, b) => a.from[0] - b.from[0]);
}

const describe = (fault: Fault) => `${fault.do} of ${fault.do === 'cut' ? 'link' : 'machine'} ${
  machinesOf(fault).join('-')} at ${Number(fault.at_s.toFixed(3))} s`;

const DONE = { pause: 'paused', crash: 'killed', cut: 'cut' } as const;

/** What was done, in sentences: 'machine 0 was paused at 3.2 s for 5 s'. */
export function faultNotes({ run }: Context): string[] {
  const seconds = (s: number) => `${Number(s.toFixed(3))} s`;
  return run.faults.filter(({ from_us }) => run.kind === 'virtual' || from_us).map((fault) => {
    const lasts_s = endOf(run, fault) - fault.at_s;
    const end = endOf(run, fault) >= run.duration_s ? 'to the end'
      : fault.do === 'crash' ? `and restarted at ${seconds(endOf(run, fault))}`
      : `for ${seconds(lasts_s)}`;
    return `${fault.do === 'cut' ? 'link' : 'machine'} ${machinesOf(fault).join('-')} was `
      + `${DONE[fault.do]} at ${seconds(fault.at_s)} ${end}`;
  });
}

/** That faults were done when they were due, and those that the seed draws for a nemesis. */
export function schedule(context: Context): void {
  const { run, found } = context;
  const wrong = (rule: 'nemesis' | 'pace', text: string) => found.add(rule, 'run.json', null, text);
  const same = (a: Fault, b: Fault) => a.do === b.do && near(a.at_s, b.at_s)
    && `${machinesOf(a)}` === `${machinesOf(b)}` && near(a.for_s ?? -1, b.for_s ?? -1);
  for (const drawn of run.nemesis ? nemesisOf(run) : []) {
    if (run.faults.some((fault) => same(fault, drawn))) continue;
    wrong('nemesis', `seed ${run.seed} draws a ${describe(drawn)}, and faults has none such`);
  }
  if (run.kind === 'virtual') return;
  for (const fault of run.faults) {
    const at_us = us(context, fault.at_s);
    const until_us = us(context, endOf(run, fault));
    const { from_us, to_us } = fault;
    if (!from_us) {
      const gone = run.faults.some((other) => other.do === 'crash' && other.at_s < fault.at_s
        && endOf(run, other) >= run.duration_s && machinesOf(fault).includes(other.machine!));
      if (run.ended === 'finished' && !gone) wrong('pace', `the ${describe(fault)} was never done`);
    } else if (from_us[1] < at_us) {
      wrong('pace', `the ${describe(fault)} was done ${ms(at_us - from_us[1])} before its time`);
    } else if (from_us[0] > at_us + LATE.fault_us) {
      wrong('pace', `the ${describe(fault)} was done ${ms(from_us[0] - at_us)} after its time`);
    } else if (to_us && fault.do !== 'crash' && to_us[0] > until_us + LATE.links_us) {
      wrong('pace', `the ${describe(fault)} ended ${ms(to_us[0] - until_us)} after its time`);
    } else if (to_us && to_us[1] < until_us && run.ended === 'finished') {
      wrong('pace', `the ${describe(fault)} ended ${ms(until_us - to_us[1])} before its time`);
    }
  }
}

const near = (a: number, b: number) => Math.abs(a - b) < 1e-6;

/** No row while a machine is paused or gone, and one `restart` where it comes back. */
export function absences(context: Context, log: Log): void {
  // Virtual times are cut to whole µs.
  const error_us = context.run.kind === 'virtual' ? 1 : context.timing[log.id]!.error_us;
  const { time_us } = log;
  let r = 0;
  for (const { fault, from, to } of windowsOf(context, log.id)) {
    while (r < log.rows && time_us[r]! <= from[1] + error_us
      && !(has(log, r, RESTART) && fault.do === 'crash' && time_us[r]! > from[0])) {
      if (has(log, r, RESTART)) returned(context, log, r, null);
      r++;
    }
    if (fault.do === 'pause') {
      for (; r < log.rows && time_us[r]! < to[0] - error_us; r++) {
        blame(context, log, r, 'pause', `a row in the ${describe(fault)}`);
      }
      continue;
    }
    while (r < log.rows && !has(log, r, RESTART)) {
      blame(context, log, r++, 'crash', `a row after the ${describe(fault)}, and no restart yet`);
    }
    if (r < log.rows) returned(context, log, r++, { fault, from, to });
  }
  for (; r < log.rows; r++) if (has(log, r, RESTART)) returned(context, log, r, null);
}

/** A restart belongs to a crash, and comes when the machine can be back. */
function returned(context: Context, log: Log, r: number, window: Window | null): void {
  const { error_us } = context.timing[log.id]!;
  if (window === null || window.fault.for_s === null) {
    blame(context, log, r, 'restart', 'a restart, and run.json has no crash that it returns from');
    return;
  }
  const early_us = window.to[0] - error_us - log.time_us[r]!;
  if (context.run.kind === 'virtual') return; // Its pace knows the instant.
  if (window.to === NEVER || early_us > 0) {
    blame(context, log, r, 'restart', `it is back before run.json says that it was started again`);
  } else if (log.time_us[r]! > window.to[1] + LATE.links_us) {
    blame(context, log, r, 'pace',
      `it is back ${ms(log.time_us[r]! - window.to[1])} after it was started again`);
  }
}

// ── What may be lost ─────────────────────────────────────────────────────────────────────────

/** The rows of a machine between two of its deaths, and when the second was. */
export interface Life {
  /** Its first row, which is a start or a restart, and the row after its last. */
  first: number;
  end: number;
  /** When it died, at the earliest; Infinity if it stopped by itself or still lives. */
  death_us: number;
}

/** The lives of a machine in order; one for nearly all. */
export function livesOf(context: Context, log: Log): Life[] {
  const lives: Life[] = [];
  const crashes = windowsOf(context, log.id).filter(({ fault }) => fault.do === 'crash');
  let first = 0;
  const close = (end: number, dead: boolean) => {
    const last = end > 0 ? log.time_us[end - 1]! : -Infinity;
    const crash = crashes.find(({ from }) => from[1] >= last);
    lives.push({ first, end, death_us: !dead ? Infinity : crash?.from[0] ?? last });
    first = end;
  };
  for (let r = 1; r < log.rows; r++) if (has(log, r, RESTART)) close(r, true);
  close(log.rows, died(log));
  return lives;
}
