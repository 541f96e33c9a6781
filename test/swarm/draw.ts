/** The configuration that a seed stands for: ordinary ones and the edges of what is allowed. */
import { stream, uniform } from '../../lab/model/chance.ts';
import { KINDS, nemesis } from '../../lab/model/faults.ts';
import type { Network } from '../../lab/model/network.ts';
import { type Configuration, configure, otherThanExercise } from '../../lab/model/run.ts';
import { expectedTicks } from '../../lab/virtual/statistics.ts';

/** A run of the swarm. */
export type Case = Configuration & Network;

/** More ticks in a run show little that is new, and fewer runs in a minute. */
export const TICKS_MOST = 3000;
/** No purpose of the model's own: the swarm's choices are not the runs' chance. */
const PURPOSE_SWARM = 1000;

/** Draws a configuration. @param ticks_most about so many ticks it has at most */
export function drawn(seed: number, ticks_most = TICKS_MOST): Case {
  const draws = stream(seed, 0, PURPOSE_SWARM);
  let n = 0;
  const chance = () => uniform(draws, n++);
  const among = <T>(...choices: T[]): T => choices[Math.floor(chance() * choices.length)]!;
  const round = (x: number) => Number(x.toPrecision(3));

  const machines = 2 + Math.floor(chance() * 11);
  const rate_hz = among(
    () => 1 + Math.floor(chance() * 6), () => round(0.1 + 10 * chance()),
    () => round(10 ** (4 * chance() - 2)), () => among(0.01, 0.3, 1, 60, 1000), () => 3);
  const rates_hz = Array.from({ length: machines }, rate_hz);
  const internal = among(0.7, 0.7, 0, 1, round(chance()));
  const latency = among('constant:0', 'constant:0', `constant:${round(10 ** (4 * chance()))}`,
    `uniform:0,${round(1 + 2000 * chance())}`, `uniform:${round(9 * chance())},9`,
    `exponential:${round(10 ** (4 * chance() - 1))}`);
  const loss = among(0, 0, 0, 1, round(chance()), round(0.1 * chance()));
  const reorder = chance() < 0.3;
  const wish_s = among(0.01, 1, 60, 60, round(300 * chance()) + 0.1);
  // A swarm of long runs has them as long as they may be.
  const longer = ticks_most > TICKS_MOST && wish_s > 1 ? Infinity : 1;
  const most_s = ticks_most / expectedTicks({ rates_hz, duration_s: 1 });
  const duration_s = Math.min(wish_s * longer, most_s);
  const plain = configure({ seed, machines, rates_hz, internal, duration_s, speed: 1 });
  // In step, machines tick at one instant again and again: the order of ties is put to the test.
  const phases = chance() < 0.1 ? plain.phases.map(() => 0) : plain.phases;
  const knobs = chance() < 0.5 ? {} : otherThanExercise({
    take: among('oldest', 'newest', 'all'), queue_max: among(null, null, 1, 3),
    drop: among('oldest', 'newest'), news: chance() < 0.2,
    ticks: among('regular', 'jitter:0.4', 'poisson'), both: among(1 / 3, 0, 1, 0.5),
  });
  const run = { ...plain, ...knobs, phases, latency, loss, reorder };
  if (chance() < 0.5) return run;
  const kinds = KINDS.filter(() => chance() < 0.5);
  return kinds.length === 0 ? run : { ...run, faults: nemesis(kinds, run), nemesis: kinds };
}
