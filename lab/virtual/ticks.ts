/**
 * The ticks that one machine makes, whatever is done to it: regular, jittered or Poisson ticks; its
 * pauses and crashes; a rate that changes.
 */
import { endOf } from '../model/faults.ts';
import { schedule, type Configuration } from '../model/run.ts';

/** A time in which a machine makes no tick. A pause is made up for by one tick, a crash is not. */
interface Outage {
  from_s: number;
  to_s: number;
  pause: boolean;
}

/** The outages of a machine, in order. Schedule and what-if are checked: none overlaps. */
function outagesOf({ faults = [], what_if = [], duration_s }: Configuration, id: number): Outage[] {
  const pauses = what_if.flatMap((change) => (change.do === 'pause' ? [change] : []));
  return [...faults.filter(({ do: what }) => what !== 'cut'), ...pauses]
    .filter(({ machine }) => machine === id)
    .map((fault) => ({
      from_s: fault.at_s, to_s: endOf(fault, duration_s), pause: fault.do === 'pause',
    })).sort((one, other) => one.from_s - other.from_s);
}

/**
 * When tick k of a machine is due if its rate changes: from a change on, what was left of the
 * period takes its time at the new rate. Told in periods p since the start, of which the k-th tick
 * is due at due(k)·r₀: due = t + (due(k)·r₀ − p)/r with t, p and r of the last change before.
 */
function dueOf(configuration: Configuration, id: number): (k: number) => number {
  const due = schedule(configuration, id);
  const changes = (configuration.what_if ?? [])
    .flatMap((change) => (change.do === 'rate' && change.machine === id ? [change] : []))
    .sort((one, other) => one.at_s - other.at_s);
  if (changes.length === 0) return due;
  const first_hz = configuration.rates_hz[id]!;
  const legs = [{ at_s: 0, periods: 0, rate_hz: first_hz }];
  for (const { at_s, rate_hz } of changes) {
    const before = legs.at(-1)!;
    const periods = before.periods + (at_s - before.at_s) * before.rate_hz;
    legs.push({ at_s, periods, rate_hz });
  }
  return (k) => {
    const periods = due(k) * first_hz;
    const leg = legs.filter((each) => each.periods <= periods).at(-1)!;
    return leg.at_s + (periods - leg.periods) / leg.rate_hz;
  };
}

/** A machine's ticks in turn: `number` at `at_s`; Infinity after the last. */
export class Ticks {
  number = -1;
  at_s = -Infinity;
  private readonly due: (k: number) => number;
  private readonly outages: Outage[];
  private readonly duration_s: number;

  constructor(configuration: Configuration, id: number) {
    this.due = dueOf(configuration, id);
    this.outages = outagesOf(configuration, id);
    this.duration_s = configuration.duration_s;
    this.next();
  }

  next(): void {
    let number = this.number + 1;
    let at_s = this.due(number);
    // A tick is skipped if the next one is due already, as two Poisson ticks at one instant.
    for (let next_s; (next_s = this.due(number + 1)) <= at_s; at_s = next_s) number++;
    for (let outage; (outage = this.outages[0]) && at_s >= outage.from_s; this.outages.shift()) {
      if (at_s >= outage.to_s) continue;
      if (outage.to_s >= this.duration_s) at_s = Infinity;
      else if (outage.pause) {
        // The last tick that came due is made when the machine goes on; those before are skipped.
        while (this.due(number + 1) <= outage.to_s) number++;
        at_s = outage.to_s;
      } else while ((at_s = this.due(number)) < outage.to_s) number++;
    }
    this.number = number;
    this.at_s = at_s < this.duration_s ? at_s : Infinity;
  }
}
