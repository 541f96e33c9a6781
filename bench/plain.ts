/**
 * The reference: the loop that one would write for this exercise over the rule, with all of the
 * statistics and no cleverness. The engine must give the same; the bench says what its cleverness
 * is worth. Sums over time are compensated (Kahan), so that they are right to the last digits.
 */
import { PURPOSE, stream, uniform } from '../lab/model/chance.ts';
import { NO_MESSAGE, receivers, step } from '../lab/model/rule.ts';
import { due_s, machineOf, type Configuration } from '../lab/model/run.ts';
import type { Measure } from '../lab/virtual/statistics.ts';

/** One number a machine for each measure, and how many messages were sent. */
export type PlainStatistics = Record<Measure, number[]> & { sent: number };

class Sum {
  value = 0;
  private carry = 0;
  add(x: number): void {
    const part = x - this.carry;
    const total = this.value + part;
    this.carry = total - this.value - part;
    this.value = total;
  }
}

/** One run on a perfect network. */
export function plain(configuration: Configuration): PlainStatistics {
  const { seed, rates_hz, phases, duration_s } = configuration;
  const machines = rates_hz.map((rate_hz, id) => ({
    id, rule: machineOf(configuration, id), rolls: stream(seed, id, PURPOSE.rolls), ticks: 0,
    receives: 0, due_s: due_s(0, phases[id]!, rate_hz), queue: [] as number[], head: 0,
    maxLag: 0, maxJump: 0, maxQueue: 0, lag: new Sum(), waiting: new Sum(),
  }));
  const length = (machine: typeof machines[number]) => machine.queue.length - machine.head;
  let [highest, sent, last_s] = [0, 0, 0];
  /** Everything stays as it is until a time. */
  const wait = (until_s: number) => {
    for (const machine of machines) {
      machine.lag.add((highest - machine.rule.clock) * (until_s - last_s));
      machine.waiting.add(length(machine) * (until_s - last_s));
    }
    last_s = until_s;
  };
  for (;;) {
    let next = machines[0]!;
    for (const machine of machines) if (machine.due_s < next.due_s) next = machine;
    if (next.due_s >= duration_s) break;
    wait(next.due_s);
    const message = length(next) > 0 ? next.queue[next.head++]! : NO_MESSAGE;
    const { clock, to } = step(next.rule, message, uniform(next.rolls, next.ticks));
    next.maxJump = Math.max(next.maxJump, clock - next.rule.clock);
    next.rule.clock = clock;
    if (message !== NO_MESSAGE) next.receives++;
    highest = Math.max(highest, clock);
    for (const id of receivers(next.rule, to)) {
      sent++;
      machines[id]!.queue.push(clock);
      machines[id]!.maxQueue = Math.max(machines[id]!.maxQueue, length(machines[id]!));
    }
    for (const machine of machines) {
      machine.maxLag = Math.max(machine.maxLag, highest - machine.rule.clock);
    }
    next.due_s = due_s(++next.ticks, phases[next.id]!, rates_hz[next.id]!);
  }
  wait(duration_s);
  const each = (value: (machine: typeof machines[number]) => number) => machines.map(value);
  return {
    ticks: each(({ ticks }) => ticks), final_clock: each(({ rule }) => rule.clock),
    clock_growth_hz: each(({ rule }) => rule.clock / duration_s),
    mean_lag: each(({ lag }) => lag.value / duration_s), max_lag: each(({ maxLag }) => maxLag),
    mean_jump: each(({ rule, ticks }) => rule.clock / ticks),
    max_jump: each(({ maxJump }) => maxJump),
    receive_share: each(({ receives, ticks }) => receives / ticks),
    mean_queue: each(({ waiting }) => waiting.value / duration_s),
    max_queue: each(({ maxQueue }) => maxQueue), final_queue: each(length), sent,
  };
}
