/** What every rule needs of a run, and small questions to a log. */
import { dueOf, type Due } from './chance.ts';
import type { Findings, Rule } from './findings.ts';
import { NONE, STOP, type Log } from './read.ts';
import type { Run } from './record.ts';

// ── Knobs: what real time may do ─────────────────────────────────────────────────────────────
const TIME = {
  error_us: 1000, // two processes, or two computers, read the time so far apart
  look_us: 5000, // a machine reads its clock and then looks: what is sent meanwhile it takes too
  rounding_us: 1, // times are whole microseconds
  own_us: 50_000, // gRPC, and a machine of somebody's own, may read in other threads
  early_us: 2000, // before 0.2.0, and elsewhere, a timer fires so much too soon …
  late_us: 50_000, // … and between two readings of the clock so much may pass
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** What time may do to one machine, in real µs; in virtual time nothing. */
export interface Timing {
  /** Clocks of two machines differ by so much at most. */
  error_us: number;
  /** A row may be dated so long before the machine looked at what had arrived. */
  look_us: number;
  /** What was sent before a row is heard for sure only so much later. */
  heard_us: number;
  /** Where threads send and read, a message may be with them so long. */
  threads_us: number;
  early_us: number;
  late_us: number;
}

export interface Context {
  run: Run;
  logs: readonly Log[];
  found: Findings;
  /** NaN if no machine has started. */
  start_us: number;
  /** µs of the logs' time in a model second. */
  second_us: number;
  timing: readonly Timing[];
  /** When tick k of a machine is due, model seconds. */
  due: readonly Due[];
}

export function contextOf(run: Run, logs: readonly Log[], found: Findings): Context {
  return {
    run, logs, found,
    start_us: run.start_us ?? logs.find(({ rows }) => rows > 0)?.time_us[0] ?? NaN,
    second_us: run.kind === 'virtual' ? 1e6 : 1e6 / run.speed,
    timing: logs.map(({ id }) => timingOf(run, id)),
    due: logs.map(({ id }) => dueOf(run, id)),
  };
}

function timingOf({ kind, exact, dice, wire }: Run, id: number): Timing {
  if (kind === 'virtual') {
    return { error_us: 0, look_us: 0, heard_us: 0, threads_us: 0, early_us: 0, late_us: 0 };
  }
  const { error_us, look_us, rounding_us, own_us, early_us, late_us } = TIME;
  const threads_us = dice[id] === 'own' || wire === 'grpc' ? own_us : 0;
  const common = { error_us, threads_us, look_us: Math.max(look_us, threads_us) };
  if (dice[id] === 'own') return { ...common, heard_us: own_us, early_us, late_us };
  return exact ? { ...common, heard_us: threads_us, early_us: rounding_us, late_us: rounding_us }
    : { ...common, look_us: threads_us, heard_us: late_us, early_us, late_us };
}

export const has = (log: Log, r: number, event: number): boolean => log.event[r] === event;
export const ticks = (log: Log, r: number): boolean => log.tick[r] !== NONE;
export const stopped = (log: Log): boolean => log.rows > 0 && has(log, log.rows - 1, STOP);
/** It has started and not ended by itself. */
export const died = (log: Log): boolean => log.rows > 0 && !stopped(log);
export const last_us = (log: Log): number => log.time_us[log.rows - 1]!;

/** The time of a model second in the logs. */
export const us = ({ start_us, second_us }: Context, at_s: number): number =>
  start_us + at_s * second_us;

export const plural = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;
/** A length of time in words. */
export const ms = (time_us: number): string => `${Number((time_us / 1000).toPrecision(3))} ms`;

/** Notes that a row breaks a rule. */
export function blame(
  { found }: Context, log: Log, r: number, rule: Rule, text: string | (() => string),
): void {
  found.add(rule, log.file, r + 2, text);
}

/** How many of a sorted list's numbers are below a limit. */
export function countBelow(
  sorted: Float64Array, limit: number, from = 0, to = sorted.length,
): number {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! < limit) from = middle + 1;
    else to = middle;
  }
  return from;
}
