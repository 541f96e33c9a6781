/** The small swarm. The large one is `npm run swarm`. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checked, drawn, logsOf } from './swarm.ts';

const RUNS = 300;
const seeds = Array.from({ length: RUNS }, (_, n) => 1_000_000 + n);

const swarm = suite('swarm');

swarm(`the rule could have made the logs of ${RUNS} random configurations`, () => {
  for (const seed of seeds) {
    const { violations } = checked(drawn(seed), logsOf(drawn(seed)));
    const told = violations.map(({ file, line, text }) => `${file}:${line}: ${text}`);
    assert.equal(told, [], `node --import tsx test/swarm.ts --seed ${seed}`);
  }
});

swarm('goes to every edge: few and many machines, each network, certain and even chances', () => {
  const all = seeds.map(drawn);
  const edges: Record<string, (configuration: ReturnType<typeof drawn>) => boolean> = {
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

swarm('sees a network that is not the one that is said', () => {
  const lies = {
    reorder: [{ reorder: true, latency: 'exponential:900' }, { reorder: false }],
    loss: [{ loss: 0.3 }, { loss: 0 }],
    latency: [{ latency: 'constant:500' }, { latency: 'constant:0' }],
  } as const;
  for (const [lie, [done, said]] of Object.entries(lies)) {
    const caught = seeds.slice(0, 30).filter((seed) => {
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

swarm.run();
