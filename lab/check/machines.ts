/** The rules that one machine's log shows by itself: its clock, its queue, its dice. */
import { drawnPhase, drawnRate_hz, EVERYONE, NOBODY, receiverOf, rollsOf } from './chance.ts';
import { blame, has, plural, ticks, type Context } from './context.ts';
import {
  EVENTS, INTERNAL, largest, RECEIVE, RESTART, SEND, START, type Log,
} from './read.ts';

/** Time does not go back; the numbers of ticks go up. */
export function order(context: Context, log: Log): void {
  const { time_us, tick } = log;
  for (let r = 1, before = -1; r < log.rows; r++) {
    if (time_us[r]! < time_us[r - 1]!) {
      blame(context, log, r, 'time',
        `${time_us[r - 1]! - time_us[r]!} µs before the row that stands before it`);
    }
    if (!ticks(log, r)) continue;
    if (tick[r]! <= before) blame(context, log, r, 'tick', `tick ${tick[r]} after tick ${before}`);
    before = tick[r]!;
  }
}

/** Lamport's IR1 and IR2: up by one, or above the message that was taken. */
export function clocks(context: Context, log: Log): void {
  const { event, clock } = log;
  for (let r = 0, before = 0; r < log.rows; before = clock[r++]!) {
    const now = clock[r]!;
    if (event[r] === RECEIVE) {
      const taken = largest(log, r);
      if (now === Math.max(before, taken) + 1) continue;
      blame(context, log, r, 'receive', `clock ${now} is not max(${before}, ${taken}) + 1`);
    } else if (event[r] === INTERNAL || event[r] === SEND) {
      if (now !== before + 1) blame(context, log, r, 'clock', `clock ${now} is not ${before} + 1`);
    } else if (now !== before) {
      blame(context, log, r, event[r] === RESTART ? 'restart' : 'clock',
        `clock ${now} at ${EVENTS[event[r]!]} is not ${before}`);
    }
  }
}

/** A send carries the clock, to one peer or to all; a receive takes one message, or all. */
export function peers(context: Context, log: Log): void {
  const { machines, take } = context.run;
  for (let r = 0; r < log.rows; r++) {
    const [from, to] = [log.first[r]!, log.first[r + 1]!];
    if (has(log, r, RECEIVE) && to - from > 1 && take !== 'all') {
      blame(context, log, r, 'receive', `${to - from} messages taken by one tick`);
    }
    if (!has(log, r, SEND)) continue;
    if (log.value[from] !== log.clock[r]) {
      blame(context, log, r, 'message',
        `message ${log.value[from]} is not the clock ${log.clock[r]}`);
    }
    let odd: string | null = null;
    for (let n = from; n < to && odd === null; n++) {
      const peer = log.peer[n]!;
      odd = peer >= machines ? `there is no machine ${peer}` : peer === log.id ? 'a send to itself'
        : n > from && peer <= log.peer[n - 1]! ? 'the receivers are not in order' : null;
    }
    if (odd === null && to - from !== 1 && to - from !== machines - 1) {
      odd = `${to - from} receivers: neither one peer nor all ${machines - 1}`;
    }
    if (odd !== null) blame(context, log, r, 'receivers', odd);
  }
}

/** While a message waits, a tick receives; and what waits stays until it is taken. */
export function waiting(context: Context, log: Log): void {
  const { event, queue, first } = log;
  const { take, queue_max } = context.run;
  for (let r = 0, before = 0; r < log.rows; before = queue[r++]!) {
    const now = queue[r]!;
    const taken = event[r] === RECEIVE ? first[r + 1]! - first[r]! : 0;
    const wrong = event[r] === START || event[r] === RESTART
      ? now > 0 && `queue ${now} at the ${EVENTS[event[r]!]}`
      : now < before - taken ? `queue ${now} after ${before}: a message is gone`
      : now > queue_max ? `queue ${now}, and queue_max is ${queue_max}`
      : take === 'all' && event[r] === RECEIVE && context.run.dice[log.id] === 'seed' && now > 0
        && `${plural(now, 'message')} left, and a tick takes all`;
    if ((event[r] === INTERNAL || event[r] === SEND) && (before > 0 || now > 0)) {
      blame(context, log, r, 'waiting', `${EVENTS[event[r]!]} while `
        + `${plural(before || now, 'message')} waited: a tick must receive`);
    } else if (wrong) blame(context, log, r, 'queue', wrong);
  }
}

/** What rates and phases the seed draws, before anything moves. */
export function draws({ run, found }: Context): void {
  for (let id = 0; id < run.machines; id++) {
    const [rate_hz, phase] = [run.rates_hz[id]!, run.phases[id]!];
    const drawn_hz = run.rates_range === null ? rate_hz : drawnRate_hz(run, id, run.rates_range);
    if (rate_hz !== drawn_hz) {
      found.add('rates', 'run.json', null,
        `machine ${id} ticks at ${rate_hz} Hz, and seed ${run.seed} draws ${drawn_hz}`);
    }
    if (phase !== drawnPhase(run, id)) {
      found.add('phases', 'run.json', null,
        `machine ${id} has phase ${phase}, and seed ${run.seed} draws ${drawnPhase(run, id)}`);
    }
  }
}

/** What a roll decides, in words. */
const decided = (to: number) => (to === NOBODY ? 'an internal event'
  : to === EVERYONE ? 'a send to all' : `a send to ${to}`);

/** What a row did by its dice, as `receiverOf` says it; NaN if nothing that dice can say. */
function rolled(log: Log, r: number, machines: number): number {
  if (has(log, r, INTERNAL)) return NOBODY;
  const [from, to] = [log.first[r]!, log.first[r + 1]!];
  if (to - from === 1) return log.peer[from]!;
  return to - from === machines - 1 ? EVERYONE : NaN;
}

/**
 * Each tick that receives nothing does what its roll says, and the seed says the roll.
 * @returns how many rolls were looked at, and how many of them are the seed's
 */
export function rolls(context: Context, log: Log): { rolls: number; seeds: number } {
  const { run } = context;
  const draw = rollsOf(run, log.id);
  const other = new Map(run.what_if.flatMap((item) =>
    (item.do === 'roll' && item.machine === log.id ? [[item.tick, item.roll] as const] : [])));
  const judged = run.dice[log.id] === 'seed';
  const count = { rolls: 0, seeds: 0 };
  for (let r = 0; r < log.rows; r++) {
    if (!has(log, r, INTERNAL) && !has(log, r, SEND)) continue;
    const k = log.tick[r]!;
    const u = other.get(k) ?? draw(k);
    const [to, done] = [receiverOf(run, log.id, u), rolled(log, r, run.machines)];
    count.rolls++;
    const same = to === done || (run.machines === 2 && to !== NOBODY && done === 1 - log.id);
    if (same) count.seeds++;
    else if (judged && !Number.isNaN(done)) {
      blame(context, log, r, 'roll', `${decided(done)}, and the roll ${u.toFixed(6)} of tick ${k} `
        + `with seed ${run.seed} is ${decided(to)}`);
    }
  }
  return count;
}
