/** A film over time: lag and queue as curves, and where two films part. */
import type { Film } from './play.film.ts';

/** Lag and queue of each machine at each of some evenly spaced times from 0 to `end_s`. */
export interface Curves {
  times_s: number[];
  lags: number[][];
  queues: number[][];
  lag_max: number;
  queue_max: number;
}

export function curvesOf(film: Film, looks: number, end_s = film.duration_s): Curves {
  const { machines, order, time_s, machine } = film;
  const known_s = Math.min(end_s, film.end_s);
  const times_s: number[] = [];
  const lags: number[][] = Array.from({ length: machines }, () => []);
  const queues: number[][] = Array.from({ length: machines }, () => []);
  const clocks = new Array<number>(machines).fill(0);
  const waiting = new Array<number>(machines).fill(0);
  let [at, highest, lag_max, queue_max] = [0, 0, 0, 0];
  for (let look = 0; look <= looks; look++) {
    const t = (end_s * look) / looks;
    if (t > known_s) break;
    for (; at < order.length && time_s[order[at]!]! <= t; at++) {
      const place = order[at]!;
      clocks[machine[place]!] = film.clock[place]!;
      waiting[machine[place]!] = film.queue[place]!;
      if (film.clock[place]! > highest) highest = film.clock[place]!;
    }
    times_s.push(t);
    for (let id = 0; id < machines; id++) {
      lags[id]!.push(highest - clocks[id]!);
      queues[id]!.push(waiting[id]!);
      lag_max = Math.max(lag_max, highest - clocks[id]!);
      queue_max = Math.max(queue_max, waiting[id]!);
    }
  }
  return { times_s, lags, queues, lag_max, queue_max };
}

/** The first event in which two runs differ, in time; Infinity if none does. */
export function partAt(one: Film, other: Film): number {
  let first_s = Infinity;
  for (const [id, lane] of one.lanes.entries()) {
    const beside = other.lanes[id] ?? [];
    for (let nth = 0; nth < Math.max(lane.length, beside.length); nth++) {
      const [a, b] = [lane[nth], beside[nth]];
      const same = a !== undefined && b !== undefined && one.time_s[a] === other.time_s[b]
        && one.event[a] === other.event[b] && one.clock[a] === other.clock[b]
        && one.peers[a]!.join() === other.peers[b]!.join();
      if (same) continue;
      const at_s = Math.min(a === undefined ? Infinity : one.time_s[a]!,
        b === undefined ? Infinity : other.time_s[b]!);
      first_s = Math.min(first_s, at_s);
      break;
    }
  }
  return first_s;
}
