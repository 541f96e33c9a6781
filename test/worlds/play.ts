/**
 * A generator of true logs that is neither the lab's engine nor its machines: real processes with
 * sockets, stalls, deaths and faults, and virtual time. It shares with the lab what lab/model
 * defines (the rule, chance, schedules), and nothing with the checker.
 */
import { nemesis } from '../../lab/model/faults.ts';
import { configure, type Configuration, type Knobs } from '../../lab/model/run.ts';
import { Real } from './real.ts';
import { virtual } from './virtual.ts';
import type { Played, World } from './world.ts';

export * from './world.ts';

/** Plays a world; the same world gives the same logs. */
export function play(world: World = {}): Played {
  const { seed = 7, machines = world.rates_hz?.length ?? 3, internal = 0.7, duration_s = 60,
    speed = 1, rates_hz, rates_range = [1, 6] } = world;
  const { take: taking, queue_max, drop, news, ticks, senders, both } = world;
  const knobs = Object.fromEntries(Object.entries({ take: taking, queue_max, drop, news, ticks,
    senders, both }).filter(([, value]) => value !== undefined)) as Partial<Knobs>;
  const options = { seed, machines, internal, duration_s, speed, ...knobs };
  const configuration = configure(rates_hz ? { ...options, rates_hz }
    : { ...options, rates_range });
  const faults = world.nemesis ? nemesis(world.nemesis, configuration) : world.faults;
  const full: Configuration = { ...configuration, ...(faults ? { faults } : {}),
    ...(world.nemesis ? { nemesis: world.nemesis } : {}),
    ...(world.what_if ? { what_if: world.what_if } : {}) };
  return world.kind === 'sockets' ? new Real(full, world).play() : virtual(full, world);
}
