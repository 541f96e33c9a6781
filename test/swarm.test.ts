/** The small swarm. The large one is `npm run swarm`. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFault } from '../lab/model/faults.ts';
import { Full } from '../lab/virtual/full.ts';
import { Standing } from '../lab/virtual/statistics.ts';
import { failureText } from './swarm.ts';
import { drawn, type Case } from './swarm/draw.ts';
import { checked, logsOf, type Source, verdict } from './swarm/judge.ts';
import { commandOf, shrink } from './swarm/shrink.ts';
import { runs, thoroughly } from './runs.ts';

const RUNS = runs(12, 150);
const seeds = Array.from({ length: 300 }, (_, n) => 1_000_000 + n);

const swarm = suite('swarm');
const thorough = thoroughly(swarm);

swarm(`the rule could have made the logs of ${RUNS} random configurations`, () => {
  for (const seed of seeds.slice(0, RUNS)) {
    const { violations } = verdict(drawn(seed));
    const told = violations.map(({ file, line, text }) => `${file}:${line}: ${text}`);
    assert.equal(told, [], `node --import tsx test/swarm.ts --seed ${seed}`);
  }
});

swarm('goes to every edge: few and many machines, each network, certain and even chances', () => {
  const all = seeds.map((seed) => drawn(seed));
  const edges: Record<string, (run: Case) => boolean> = {
    'two machines': ({ machines }) => machines === 2,
    'twelve machines': ({ machines }) => machines === 12,
    'rates a thousand times apart': ({ rates_hz }) =>
      Math.max(...rates_hz) > 1000 * Math.min(...rates_hz),
    'always internal': ({ internal }) => internal === 1,
    'never internal': ({ internal }) => internal === 0,
    'no latency': ({ latency }) => latency === 'constant:0',
    'constant latency': ({ latency }) => /^constant:[1-9]/.test(latency),
    'uniform latency': ({ latency }) => latency.startsWith('uniform'),
    'exponential latency': ({ latency }) => latency.startsWith('exponential'),
    'no loss': ({ loss }) => loss === 0,
    'some loss': ({ loss }) => loss > 0 && loss < 1,
    'all is lost': ({ loss }) => loss === 1,
    'messages that overtake': ({ reorder, latency }) => reorder && /^[eu]/.test(latency),
    'machines in step': ({ phases }) => phases.every((phase) => phase === 0),
    'a hundredth of a second': ({ duration_s }) => duration_s === 0.01,
    'minutes': ({ duration_s }) => duration_s > 100,
  };
  for (const [edge, holds] of Object.entries(edges)) {
    assert.ok(all.filter(holds).length >= 2, `${edge}: ${all.filter(holds).length}`);
  }
});

swarm('judges rows in memory as it judges the text of their logs', () => {
  for (const seed of [...seeds.slice(0, runs(3, 20)), 733, 829]) {
    const run = drawn(seed, 500);
    assert.equal(verdict(run), checked(run, logsOf(run)), `seed ${seed}`);
  }
});

swarm('sees a network that is not the one that is said', () => {
  const lies = {
    reorder: [{ reorder: true, latency: 'exponential:900' }, { reorder: false }],
    loss: [{ loss: 0.3 }, { loss: 0 }],
    latency: [{ latency: 'constant:500' }, { latency: 'constant:0' }],
  } as const;
  for (const [lie, [done, said]] of Object.entries(lies)) {
    const caught = seeds.slice(0, runs(5, 30)).filter((seed) => {
      const truth = { ...drawn(seed), latency: 'constant:0', loss: 0, reorder: false, ...done };
      return !checked({ ...truth, ...said }, logsOf(truth)).consistent;
    });
    assert.ok(caught.length > 0, lie);
  }
});

swarm('lets messages that may overtake stand in any order in a row that takes all', () => {
  for (const seed of [733, 829]) {
    const { take, reorder } = drawn(seed);
    assert.equal([take, reorder], ['all', true]);
    assert.equal(checked(drawn(seed), logsOf(drawn(seed))).violations, []);
  }
});

/** The engine, but for a crash that does not lose what waited. */
const forgetful: Source = (run, observe) => {
  const full = new Full(run, run, new Standing(run.machines), observe);
  Reflect.set(full, 'crash', (id: number) => { Reflect.get(full, 'down')[id] = true; });
  full.run();
};

thorough('shrinks what a planted bug breaks to its smallest, and says the command', () => {
  const fails = (run: Case) => !verdict(run, forgetful).consistent;
  const large = drawn(seeds.find((seed) => fails(drawn(seed, 300)))!, 300);
  assert.ok(large.faults!.length > 1);
  const small = shrink(large, fails);
  assert.ok(fails(small));
  assert.ok(verdict(small).consistent, 'it is the bug that fails');
  const { faults = [], latency, loss, reorder, machines, nemesis, internal } = small;
  assert.equal([latency, loss, reorder, nemesis, internal],
    ['constant:0', 0, false, undefined, 0.7]);
  assert.equal(faults.map(({ do: what }) => what), ['crash'], 'a single fault');
  assert.ok(machines <= 3 && small.duration_s <= 20, JSON.stringify(small));
  assert.match(commandOf(small)!, new RegExp('^npx tsx simulate.ts --rates [\\d.,]+ --seed \\d+ '
    + '--duration [\\d.]+ --fault \'crash \\d at [\\d.]+ (restart|for) [\\d.]+\' --name shrunk '
    + '&& npx tsx check.ts logs/shrunk$'));
  const text = failureText(large, forgetful);
  assert.match(text, new RegExp(`^seed ${large.seed}: machine-\\d+.csv:\\d+: `));
  assert.ok(text.endsWith(commandOf(small)!));
});

swarm('says each fault and each knob in its command, and none that is the exercise\'s', () => {
  const run = { ...drawn(1), machines: 2, rates_hz: [1, 2.5], internal: 0.7, duration_s: 60,
    latency: 'constant:0', loss: 0, reorder: false, faults: [], nemesis: undefined };
  const plain: Case = { ...run, phases: drawn(1).phases.slice(0, 2) } as unknown as Case;
  for (const knob of ['take', 'queue_max', 'drop', 'news', 'ticks', 'both'] as const) {
    delete plain[knob];
  }
  const end = ' --name shrunk && npx tsx check.ts logs/shrunk';
  assert.is(commandOf(plain), `npx tsx simulate.ts --rates 1,2.5 --seed 1${end}`);
  assert.is(commandOf({ ...plain, take: 'all', queue_max: 3, drop: 'newest', news: true,
    ticks: 'poisson', senders: [0], both: 0.5, loss: 0.1, reorder: true, latency: 'uniform:1,9',
    faults: [parseFault('cut 0-1 at 2 for 3')] }), 'npx tsx simulate.ts --rates 1,2.5 --seed 1 '
    + '--latency uniform:1,9 --loss 0.1 --reorder --take all --queue-max 3 --drop newest --news '
    + `--ticks poisson --senders 0 --both 0.5 --fault 'cut 0-1 at 2 for 3'${end}`);
  assert.is(commandOf({ ...plain, phases: [0, 0] }), null);
});

swarm.run();
