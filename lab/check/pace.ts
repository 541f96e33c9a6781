/**
 * When things happen: starts, stops, and each tick at its time. Lateness says nothing against the
 * rule of the clocks, so it is a verdict of its own.
 */
import { blame, has, last_us, ms, stopped, ticks, us, type Context } from './context.ts';
import { endOf, windowsOf } from './faults.ts';
import { NONE, RESTART, START, STOP, type Log } from './read.ts';

/** A log begins with its start, the same instant for all, and nothing follows its stop. */
export function startAndStop(context: Context, log: Log): void {
  const { run, start_us, found } = context;
  for (let r = 0; r < log.rows; r++) {
    if (has(log, r, START) !== (r === 0)) {
      blame(context, log, r, 'start', r === 0 ? 'the first event is no start' : 'a second start');
    }
    if (r > 0 && has(log, r - 1, STOP)) blame(context, log, r, 'stop', 'it comes after the stop');
  }
  if (log.rows > 0 && log.time_us[0] !== start_us) {
    blame(context, log, 0, 'start', `time_us ${log.time_us[0]} is not the common ${start_us}`);
  }
  const gone = windowsOf(context, log.id).some(({ fault }) =>
    fault.do === 'crash' && endOf(run, fault) >= run.duration_s);
  if (run.ended === 'finished' && !stopped(log) && !gone) {
    found.add('ended', log.file, log.rows > 0 ? log.rows + 1 : null,
      'there is no stop, and run.json says that every machine finished');
  }
  if (run.ended === null || run.ended === 'finished' || log.rows === 0) return;
  const dies = new RegExp(`\\bmachine ${log.id} died\\b`).test(run.ended);
  if (dies && stopped(log) && last_us(log) >= us(context, run.duration_s)) {
    found.add('ended', log.file, log.rows + 1,
      `it stopped at the end of the run, and run.json says that machine ${log.id} died`);
  } else if (!dies && !stopped(log) && !gone && /\bdied\b/.test(run.ended)) {
    found.add('ended', log.file, log.rows + 1,
      `there is no stop, and run.json says that others died, not machine ${log.id}`);
  }
}

/**
 * A tick of a real machine happens when it is due and before the next one is: ticks that are made
 * up for are a burst. Who returned from a crash does nothing that was due before.
 */
export function realPace(context: Context, log: Log): void {
  const { run, start_us, second_us } = context;
  const { early_us, late_us } = context.timing[log.id]!;
  const due = context.due[log.id]!;
  let back_us = -Infinity;
  for (let r = 0; r < log.rows; r++) {
    if (has(log, r, RESTART)) back_us = log.time_us[r]!;
    if (!ticks(log, r)) continue;
    const k = log.tick[r]!;
    const at_us = log.time_us[r]!;
    const due_s = due(k);
    const due_us = start_us + due_s * second_us;
    if (due_s >= run.duration_s) {
      blame(context, log, r, 'pace', `tick ${k} is due after the end at ${run.duration_s} s`);
    } else if (at_us < due_us - early_us) {
      blame(context, log, r, 'pace', `tick ${k} comes ${ms(due_us - at_us)} before it is due`);
    } else if (due_us < back_us - early_us) {
      blame(context, log, r, 'restart', `tick ${k} was due before the machine came back`);
    } else {
      const next_us = start_us + due(k + 1) * second_us;
      if (at_us < next_us + late_us) continue;
      blame(context, log, r, 'pace', `tick ${k} comes ${ms(at_us - due_us)} after it is due, and `
        + `${ms(at_us - next_us)} after the next: it was to be skipped`);
    }
  }
  if (!stopped(log) || run.ended !== 'finished') return;
  const missing_us = us(context, run.duration_s) - last_us(log);
  if (missing_us > early_us) {
    blame(context, log, log.rows - 1, 'pace', `it stopped ${ms(missing_us)} before the end`);
  }
}

/** The ticks of a machine in virtual time, one after the other, with what faults do to them. */
class VirtualTicks {
  k = -1;
  at_s = 0;
  readonly #context: Context;
  readonly #id: number;
  /** When it does not tick: pauses, and crashes that it comes back from or does not. */
  readonly #away: { from_s: number; to_s: number; crash: boolean }[];

  constructor(context: Context, id: number) {
    const { run } = context;
    [this.#context, this.#id] = [context, id];
    const pauses = run.what_if.flatMap((item) => (item.do === 'pause' && item.machine === id
      ? [{ from_s: item.at_s, to_s: item.at_s + item.for_s, crash: false }] : []));
    const faults = run.faults.filter((fault) => fault.do !== 'cut' && fault.machine === id)
      .map((fault) => (
        { from_s: fault.at_s, to_s: endOf(run, fault), crash: fault.do === 'crash' }));
    this.#away = [...faults, ...pauses].sort((a, b) => a.from_s - b.from_s);
  }

  /** The next tick; false if there is none any more. */
  next(): boolean {
    const due = this.#context.due[this.#id]!;
    const { duration_s } = this.#context.run;
    this.k++;
    this.at_s = due(this.k);
    while (due(this.k + 1) <= this.at_s) this.k++; // Of two at one instant the last is made.
    const away = this.#away;
    while (away.length > 0 && this.at_s >= away[0]!.from_s) {
      const { to_s, crash } = away.shift()!;
      if (this.at_s >= to_s) continue;
      // At the end of a pause the last tick that came due is made at once, the others are not.
      while (crash ? this.at_s < to_s : due(this.k + 1) <= to_s) this.at_s = due(++this.k);
      this.at_s = Math.max(this.at_s, to_s);
      if (crash) this.at_s = due(this.k);
    }
    return this.at_s < duration_s;
  }
}

/**
 * Every tick of virtual time happens at its instant, and none is left out.
 * @returns the instant of each row, model seconds, to the last bit
 */
export function virtualPace(context: Context, log: Log): Float64Array {
  const { run } = context;
  const due = context.due[log.id]!;
  const at_s = new Float64Array(log.rows);
  const expected = new VirtualTicks(context, log.id);
  const returns = run.faults.filter((fault) => fault.do === 'crash' && fault.machine === log.id
    && endOf(run, fault) < run.duration_s).map((fault) => endOf(run, fault));
  let more = expected.next();
  for (let r = 0; r < log.rows; r++) {
    if (has(log, r, RESTART)) at_s[r] = returns.shift() ?? NaN;
    else if (has(log, r, STOP)) at_s[r] = run.duration_s;
    else if (ticks(log, r)) {
      const k = log.tick[r]!;
      const awaited = expected.k;
      while (more && expected.k < k) more = expected.next();
      at_s[r] = more && expected.k === k ? expected.at_s : due(k);
      const wrong = due(k) >= run.duration_s ? `is due after the end at ${run.duration_s} s`
        : !more || expected.k !== k ? 'is none that this machine makes'
        : awaited < k ? `comes where tick ${awaited} is due` : null;
      if (wrong !== null) blame(context, log, r, 'pace', `tick ${k} ${wrong}`);
      if (more && expected.k === k) more = expected.next();
    }
    const late_us = log.time_us[r]! - Math.floor(at_s[r]! * 1e6);
    if (late_us !== 0 && !Number.isNaN(late_us) && r > 0) {
      blame(context, log, r, 'pace',
        `it comes ${Math.abs(late_us)} µs ${late_us > 0 ? 'after' : 'before'} its time`);
    }
  }
  if (stopped(log) && more) {
    blame(context, log, log.rows - 1, 'pace', `tick ${expected.k} was due before the stop`);
  }
  return at_s;
}

/** How many ticks of a machine were due by a time and before the end, from tick `k` on counted. */
export function dueBy(context: Context, log: Log, k: number, until_us: number): number {
  const due = context.due[log.id]!;
  const { rates_hz, phases, duration_s, ticks: kind } = context.run;
  const until_s = Math.min((until_us - context.start_us) / context.second_us, duration_s);
  // Regular ticks and jitter are near their places; sums of gaps must be walked.
  const near = kind === 'poisson' ? 0
    : Math.floor(until_s * rates_hz[log.id]! - phases[log.id]!) - 2;
  let next = Math.max(k, near);
  while (due(next) < until_s) next++;
  return next;
}

/** The number after that of the last tick that a log has. */
export function nextTick(log: Log): number {
  let next = 0;
  for (let r = 0; r < log.rows; r++) {
    if (log.tick[r] !== NONE) next = Math.max(next, log.tick[r]! + 1);
  }
  return next;
}
