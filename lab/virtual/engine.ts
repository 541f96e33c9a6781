/**
 * The machines in virtual time: a schedule of ticks drives the one rule.
 *
 * What happens at one instant happens in this order: faults end, faults begin, messages arrive, in
 * the order in which they were sent; then machines tick, in the order of their ids. Without latency
 * a message waits at its receiver as soon as it is sent, for whoever ticks next. The run ends at
 * its duration: a tick that is due then does not happen any more, a message that arrives then still
 * counts as waiting.
 *
 * Three loops walk the schedule: three.ts where it must be fast, many.ts where there are more
 * machines, full.ts where there is more than the exercise or somebody looks. None uses Node: the
 * playground runs them in a browser.
 */
import { type Network, parseLatency, PERFECT } from '../model/network.ts';
import { type Configuration, EXERCISE } from '../model/run.ts';
import { Full, type Follow, type Observe } from './full.ts';
import { Many } from './many.ts';
import { Schedule } from './schedule.ts';
import { expectedTicks, Standing, type Statistics, TICKS_MAX } from './statistics.ts';
import { runThree, waitingOfThree } from './three.ts';

export type { Follow, Observe } from './full.ts';

/** Runs configurations of one number of machines, one after the other, in the same memory. */
export class Engine {
  readonly machines: number;
  private readonly standing: Standing;
  private readonly schedule: Schedule;
  private many: Many | undefined;

  constructor(machines: number) {
    this.machines = machines;
    this.standing = new Standing(machines);
    this.schedule = new Schedule(machines);
  }

  /**
   * Runs a configuration from its start to its end.
   * @param observe is given each row of the logs, in the order in which the events happen
   * @param follow is told what becomes of each message
   * @returns the engine's own arrays, which the next run overwrites
   * @throws RangeError if the run has more than 2^31 ticks
   */
  run(
    configuration: Configuration, network: Network, observe?: Observe, follow?: Follow,
  ): Statistics {
    const { duration_s, rates_hz, phases, machines } = configuration;
    if (expectedTicks(configuration) > TICKS_MAX) {
      throw new RangeError(`more than ${TICKS_MAX} ticks in one run`);
    }
    const { standing, schedule } = this;
    standing.clear();
    if (observe || follow || !isPlain(configuration, network)) {
      new Full(configuration, network, standing, observe, follow).run();
      return standing.conclude(duration_s);
    }
    schedule.begin(rates_hz, phases, duration_s);
    const three = machines <= 3;
    let more = three ? runThree(configuration, schedule, standing) : schedule.next();
    if (more) {
      this.many ??= new Many(machines);
      this.many.begin(configuration, standing, three ? waitingOfThree(machines) : null);
      for (; more; more = schedule.next()) this.many.window(schedule, standing);
      this.many.leave(standing);
    }
    return standing.conclude(duration_s);
  }
}

/** Whether a run is the exercise on a perfect network, and nothing happens to it. */
function isPlain(configuration: Configuration, { latency, loss }: Network): boolean {
  const { faults = [], what_if = [] } = configuration;
  if (loss > 0 || faults.length > 0 || what_if.length > 0) return false;
  for (const name of KNOBS) {
    const value = configuration[name];
    if (value !== undefined && value !== EXERCISE[name]) return false;
  }
  return latency === PERFECT.latency || parseLatency(latency).to_ms === 0;
}
const KNOBS = Object.keys(EXERCISE) as (keyof typeof EXERCISE)[];

/** One run of a configuration. @see Engine.run */
export const simulate = (
  configuration: Configuration & Network, observe?: Observe, follow?: Follow,
): Statistics =>
  new Engine(configuration.machines).run(configuration, configuration, observe, follow);
