/**
 * Makes machines/vectors.json out of lab/model: what a machine of any language must compute, so
 * that it can be tested before it ever joins a run.
 *
 *   npx tsx machines/vectors.ts > machines/vectors.json
 */
import { isMain } from '../lab/cli/options.ts';
import { PURPOSE, stream, uniform } from '../lab/model/chance.ts';
import { arrive, Inbox, take, type Message } from '../lab/model/inbox.ts';
import { EXERCISE, type Knobs, schedule } from '../lab/model/run.ts';
import { type Machine, NO_MESSAGE, receivers, step } from '../lab/model/rule.ts';
import { parseLine } from '../lab/real/wire.ts';

const SEEDS = [1, 7, 4_294_967_296, 9_007_199_254_740_991];

function rolls() {
  return SEEDS.flatMap((seed) =>
    [
      [0, 0, 0],
      [1, 0, 59],
      [2, 0, 359],
      [0, 4, 3],
      [499, 1, 1],
    ].map(([machine, purpose, n]) => ({
      seed,
      machine: machine!,
      purpose: purpose!,
      n: n!,
      value: uniform(stream(seed, machine!, purpose!), n!),
    })),
  );
}

function steps() {
  const usual = { machines: 3, internal: 0.7, clock: 41 };
  const machines: Machine[] = [
    { id: 0, ...usual },
    { id: 1, ...usual },
    { id: 2, ...usual },
    { id: 1, ...usual, machines: 2 },
    { id: 3, ...usual, machines: 5 },
    { id: 0, ...usual, internal: 0 },
    { id: 0, ...usual, internal: 1 },
    { id: 2, ...usual, machines: 4, both: 0.5 },
    { id: 1, ...usual, both: 0 },
    { id: 1, ...usual, both: 1 },
    { id: 0, ...usual, sends: false },
  ];
  const some = Array.from({ length: 12 }, (_, n) => uniform(stream(5, 0, PURPOSE.rolls), n));
  const rolls = [0, 0.0999, 0.1, 0.2, 0.29999999, 0.3, 0.9999, ...some];
  return machines.flatMap((machine) =>
    [
      ...rolls.map((roll) => [NO_MESSAGE, roll] as const),
      ...[0, 40, 41, 42, 99].map((message) => [message, 0.05] as const),
    ].map(([message, roll]) => {
      const { event, clock, to } = step(machine, message, roll);
      return {
        machine,
        message: message === NO_MESSAGE ? null : message,
        roll,
        event,
        clock,
        peers: receivers(machine, to),
      };
    }),
  );
}

function schedules() {
  return ['regular', 'jitter:0.3', 'poisson'].flatMap((ticks) =>
    [
      [1, 0.25],
      [6, 0.75],
    ].map(([rate, phase], machine) => {
      const due_s = schedule(
        {
          seed: 7,
          machines: 3,
          rates_hz: [rate!, rate!, rate!],
          phases: [phase!, phase!, phase!],
          internal: 0.7,
          duration_s: 60,
          speed: 1,
          ticks,
        },
        machine,
      );
      return {
        ticks,
        seed: 7,
        machine,
        rate: rate!,
        phase: phase!,
        due_s: Array.from({ length: 20 }, (_, k) => due_s(k)),
      };
    }),
  );
}

function inboxes() {
  const some: Partial<Knobs>[] = [
    {},
    { take: 'newest' },
    { take: 'all' },
    { news: true },
    { queue_max: 2 },
    { queue_max: 2, drop: 'newest' },
  ];
  const messages: [number, number][] = [
    [1, 5],
    [2, 3],
    [1, 9],
    [2, 12],
  ];
  return some.map((other) => {
    const knobs = { ...EXERCISE, ...other };
    const inbox = new Inbox();
    for (const [from, clock] of messages) arrive(inbox, { from, clock }, 4, knobs);
    const taken = take(inbox, knobs);
    const pairs = (list: Message[]) => list.map(({ from, clock }) => [from, clock]);
    return { knobs, clock: 4, messages, taken: pairs(taken), left: pairs(inbox.toArray()) };
  });
}

function lines() {
  const texts = [
    '{"clock":1}',
    '{"clock":4503599627370496}',
    '{"clock":4503599627370497}',
    '{"clock":-1}',
    '{"clock":1.5}',
    '{"clock":"1"}',
    '{"hello":2,"token":"lab"}',
    '{"hello":2,"token":"lab","life":1}',
    '{"hello":2}',
    '{"hello":-2,"token":"lab"}',
    '{"ready":true}',
    '{"ready":1}',
    '{"start_us":1741200000000000}',
    '{"stop":true}',
    '{}',
    '[]',
    'null',
    '7',
    '',
    'GET / HTTP/1.1',
    '{"clock":1',
    `{"clock":1,"more":"${'x'.repeat(1100)}"}`,
  ];
  return texts.map((text) => {
    try {
      return { text, line: parseLine(text) };
    } catch {
      return { text, line: null };
    }
  });
}

/** All vectors, as they stand in the file: one case a line. */
export function vectors(): string {
  const all = {
    rolls: rolls(),
    steps: steps(),
    schedules: schedules(),
    inboxes: inboxes(),
    lines: lines(),
  };
  return `{\n${Object.entries(all)
    .map(
      ([name, cases]) => `"${name}": [\n${cases.map((one) => JSON.stringify(one)).join(',\n')}\n]`,
    )
    .join(',\n')}\n}\n`;
}

if (isMain(import.meta.url)) process.stdout.write(vectors());
