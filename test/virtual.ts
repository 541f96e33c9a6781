/** What the tests of virtual time share: a run and its rows, and options drawn at random. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type Network, PERFECT } from '../lab/model/network.ts';
import { configure, row, type Configuration } from '../lab/model/run.ts';
import { simulate } from '../lab/virtual/engine.ts';
import type { Statistics } from '../lab/virtual/statistics.ts';
import { runs } from './runs.ts';

export type RunOptions = Partial<Configuration & Network>;

export function configuration(options: RunOptions = {}): Configuration & Network {
  const { rates_range, faults, what_if, ...model } = options;
  const rates_hz = options.rates_hz ?? [1, 4, 6];
  const drawn = configure({
    seed: 1, internal: 0.7, duration_s: 60, speed: 1, machines: rates_hz.length, ...model, rates_hz,
  });
  const { latency, loss, reorder } = { ...PERFECT, ...options };
  return { ...drawn, phases: options.phases ?? drawn.phases, latency, loss, reorder,
    ...(faults && { faults }), ...(what_if && { what_if }) };
}

/** A run's logs as text, one for each machine, and its statistics. */
export function run(options: RunOptions): { logs: string[]; statistics: Statistics } {
  const whole = configuration(options);
  const logs = whole.rates_hz.map(() => '');
  const statistics = simulate(whole, (...cells) => { logs[cells[1]] += row(...cells); });
  return { logs, statistics };
}

export interface Row {
  time_us: number;
  tick: number;
  event: string;
  peer: string;
  message: number;
  queue: number;
  clock: number;
}
export const rowsOf = (log: string): Row[] => log.trim().split('\n').map((line) => {
  const [time_us, , tick, event, peer, message, queue, clock] = line.split(',');
  return { time_us: Number(time_us), tick: Number(tick), event: event!, peer: peer!,
    message: Number(message), queue: Number(queue), clock: Number(clock) };
});

export const anyRunOptions = fc.record({
  seed: fc.nat(2 ** 31),
  rates_hz: fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.double({ min: 0.1, max: 40,
    noNaN: true })), { minLength: 2, maxLength: 6 }),
  internal: fc.oneof(fc.constantFrom(0, 0.7, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  duration_s: fc.double({ min: 0.5, max: 30, noNaN: true }),
  latency: fc.constantFrom('constant:0', 'constant:5', 'uniform:0,400', 'exponential:150'),
  loss: fc.constantFrom(0, 0, 0.2, 1),
  reorder: fc.boolean(),
});
export const anyRun = (check: (options: RunOptions) => void, numRuns = runs(20, 100)) =>
  fc.assert(fc.property(anyRunOptions, check), { numRuns });

export const near = (actual: number, expected: number, within: number, what: string) =>
  assert.ok(Object.is(actual, expected) || Math.abs(actual - expected) <= within,
    `${what}: ${actual} is not within ${within} of ${expected}`);
