/** The rules that one machine's log shows by itself. */
import { LATENCY, type Run } from './record.ts';
import {
  EVENTS, INTERNAL, NONE, RECEIVE, SEND, START, STOP, type Findings, type Log, type Rule,
} from './read.ts';

// What real time may do. Virtual time is exact but for rounding: a log has whole microseconds.
const SOCKETS = {
  /** A message that was logged as sent so long ago has arrived: thousands of times the usual. */
  latest_us: 1_000_000,
  /** Two processes, or two computers, read the time so far apart. */
  error_us: 1000,
  /** A timer may fire so much before its time … */
  early_us: 2000,
  /** … and a loaded computer take so long, beside the period after which a tick is skipped. */
  late_us: 50_000,
};
/** An exponential latency has no end, but one message in 10^17 takes so many times its mean. */
const EXPONENTIAL_END = 40;

/** When a message arrives after it was logged as sent, and what time may do beside; real µs. */
export interface Timing {
  soonest_us: number;
  latest_us: number;
  error_us: number;
  early_us: number;
  late_us: number;
}

/** What the rules need; `start_us` is NaN if no machine has started. */
export interface Context {
  run: Run;
  logs: readonly Log[];
  timing: Timing;
  start_us: number;
  lossless: boolean;
  ordered: boolean;
  someDied: boolean;
  found: Findings;
}

export function timingOf({ kind, latency = 'constant:0', speed }: Run): Timing {
  if (kind === 'sockets') return { soonest_us: 0, ...SOCKETS };
  const [, shape, from, to] = LATENCY.exec(latency)!;
  const us = 1000 / speed;
  const [soonest_us, latest_us] = shape === 'exponential'
    ? [0, EXPONENTIAL_END * Number(from) * us] : [Number(from) * us, Number(to ?? from) * us];
  return { soonest_us, latest_us, error_us: 1, early_us: 1, late_us: 1 };
}

export const has = (log: Log, r: number, event: number) => log.event[r] === event;
export const ticks = (log: Log, r: number) => log.tick[r] !== NONE;
export const stopped = (log: Log) => log.rows > 0 && has(log, log.rows - 1, STOP);
export const died = (log: Log) => log.rows > 0 && !stopped(log);
export const last_us = (log: Log) => log.time_us[log.rows - 1]!;
export const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
export const ms = (time_us: number) => `${Number((time_us / 1000).toPrecision(3))} ms`;

export function fault(
  { found }: Context, log: Log, r: number, rule: Rule, text: string | (() => string),
): void {
  found.add(rule, log.file, r + 2, text);
}

/** A log begins with its start, the same instant for all, and nothing follows its stop. */
export function startAndStop(context: Context, log: Log): void {
  const { run, start_us, found } = context;
  for (let r = 0; r < log.rows; r++) {
    if (has(log, r, START) !== (r === 0)) {
      fault(context, log, r, 'start', r === 0 ? 'the first event is no start' : 'a second start');
    }
    if (r > 0 && has(log, r - 1, STOP)) fault(context, log, r, 'stop', 'it comes after the stop');
  }
  if (log.rows > 0 && log.time_us[0] !== start_us) {
    fault(context, log, 0, 'start', `time_us ${log.time_us[0]} is not the common ${start_us}`);
  }
  if (run.ended === 'finished' && !stopped(log)) {
    found.add('stop', log.file, log.rows > 0 ? log.rows + 1 : null,
      'there is no stop, and run.json says that every machine finished');
  }
}

/** Time does not go back; the numbers of ticks go up. */
export function order(context: Context, log: Log): void {
  const { time_us, tick } = log;
  for (let r = 1, before = NONE; r < log.rows; r++) {
    if (time_us[r]! < time_us[r - 1]!) {
      fault(context, log, r, 'time', `${ms(time_us[r - 1]! - time_us[r]!)} before the last row`);
    }
    if (!ticks(log, r)) continue;
    if (tick[r]! <= before) fault(context, log, r, 'tick', `tick ${tick[r]} after tick ${before}`);
    before = tick[r]!;
  }
}

/** Lamport's IR1 and IR2: up by one, or above the message that was taken. */
export function clocks(context: Context, log: Log): void {
  const { event, clock, message } = log;
  for (let r = 0, before = 0; r < log.rows; before = clock[r++]!) {
    const [now, taken] = [clock[r]!, message[r]!];
    if (event[r] === RECEIVE) {
      if (now === Math.max(before, taken) + 1) continue;
      fault(context, log, r, 'receive', `clock ${now} is not max(${before}, ${taken}) + 1`);
    } else if (event[r] === INTERNAL || event[r] === SEND) {
      if (now !== before + 1) fault(context, log, r, 'clock', `clock ${now} is not ${before} + 1`);
    } else if (now !== before) {
      fault(context, log, r, 'clock', `clock ${now} at ${EVENTS[event[r]!]} is not ${before}`);
    }
  }
}

/** A send carries the clock, to one peer or to all. */
export function sends(context: Context, log: Log): void {
  const { machines } = context.run;
  for (let r = 0; r < log.rows; r++) {
    if (!has(log, r, SEND)) continue;
    if (log.message[r] !== log.clock[r]) {
      fault(context, log, r, 'message',
        `message ${log.message[r]} is not the clock ${log.clock[r]}`);
    }
    const peers = log.peer.subarray(log.firstPeer[r], log.firstPeer[r + 1]);
    const odd = peers.find((peer, n) =>
      peer >= machines || peer === log.id || (n > 0 && peer <= peers[n - 1]!));
    if (odd !== undefined) {
      fault(context, log, r, 'receivers', odd >= machines ? `there is no machine ${odd}`
        : odd === log.id ? 'a send to itself' : `${peers.join(' ')} is not in order`);
    } else if (peers.length !== 1 && peers.length !== machines - 1) {
      fault(context, log, r, 'receivers',
        `${peers.length} receivers: neither one peer nor all ${machines - 1}`);
    }
  }
}

/** While a message waits, a tick receives; and what waits stays until it is taken. */
export function waiting(context: Context, log: Log): void {
  const { event, queue } = log;
  for (let r = 0, before = 0; r < log.rows; before = queue[r++]!) {
    const now = queue[r]!;
    if ((event[r] === INTERNAL || event[r] === SEND) && (before > 0 || now > 0)) {
      fault(context, log, r, 'waiting', `${EVENTS[event[r]!]} while `
        + `${plural(before || now, 'message')} waited: a tick must receive`);
    } else if (event[r] === START ? now > 0 : now < before - (event[r] === RECEIVE ? 1 : 0)) {
      fault(context, log, r, 'queue', event[r] === START ? `queue ${now} at the start`
        : `queue ${now} after ${before}: a message is gone`);
    }
  }
}

/**
 * A tick happens at its time: never sooner, and never so late that it was to be skipped, for
 * ticks that are made up for are a burst. Virtual time skips none and leaves none out.
 */
export function pace(context: Context, log: Log): void {
  const { run, timing, start_us } = context;
  const { tick, time_us } = log;
  const [rate_hz, phase] = [run.rates_hz[log.id]!, run.phases[log.id]!];
  const virtual = run.kind === 'virtual';
  const late_us = timing.late_us + (virtual ? 0 : 1e6 / (rate_hz * run.speed));
  let next = 0;
  for (let r = 0; r < log.rows; r++) {
    if (!ticks(log, r)) continue;
    const k = tick[r]!;
    const due_s = (k + phase) / rate_hz;
    const lateness_us = time_us[r]! - start_us - (due_s * 1e6) / run.speed;
    const wrong = due_s >= run.duration_s ? `is due after the end at ${run.duration_s} s`
      : lateness_us < -timing.early_us ? `comes ${ms(-lateness_us)} before it is due`
      : lateness_us > late_us ? `comes ${ms(lateness_us)} after it is due`
      : virtual && k > next ? `comes where tick ${next} is due` : null;
    if (wrong !== null) fault(context, log, r, 'pace', `tick ${k} ${wrong}`);
    next = k + 1;
  }
  if (!stopped(log)) return;
  const early_us = start_us + (run.duration_s * 1e6) / run.speed - last_us(log);
  if (run.ended === 'finished' && early_us > timing.early_us) {
    fault(context, log, log.rows - 1, 'pace', `it stopped ${ms(early_us)} before the end`);
  } else if (virtual && early_us < -timing.late_us) {
    fault(context, log, log.rows - 1, 'pace', `it stopped ${ms(-early_us)} after the end`);
  } else if (virtual && dueBy(context, log, last_us(log) - timing.late_us) > next) {
    fault(context, log, log.rows - 1, 'pace', `tick ${next} was due before the stop`);
  }
}

/** How many ticks are due before a time, and before the end of the run. */
export function dueBy({ run, start_us }: Context, log: Log, until_us: number): number {
  const model_s = Math.min(((until_us - start_us) * run.speed) / 1e6, run.duration_s);
  return Math.max(0, Math.ceil(model_s * run.rates_hz[log.id]! - run.phases[log.id]! - 1e-6));
}
