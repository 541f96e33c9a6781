/** The swarm as a command, and that the command which it prints makes the very run that failed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $ } from 'zx';
import { knobsOf } from '../../lab/model/run.ts';
import { drawn, type Case } from '../swarm/draw.ts';
import { logsOf } from '../swarm/judge.ts';
import { commandOf } from '../swarm/shrink.ts';

const root = join(import.meta.dirname, '..', '..');
const tsx = import.meta.resolve('tsx');
const quiet = $({ nothrow: true, quiet: true });

const swarm = suite('npm run swarm');
swarm('judges as many ticks as it is told, in threads, and says how many had what', async () => {
  const { exitCode, stdout, stderr } = await quiet`${process.execPath} --import ${tsx} ${
    join(root, 'test', 'swarm.ts')} --ticks 200000 --threads 2`;
  assert.equal([exitCode, stderr], [0, ''], stdout);
  for (const what of ['crash', 'pause', 'cut', 'delay', 'loss', 'reorder', 'take oldest',
    'take newest', 'take all']) assert.match(stdout, new RegExp(`[\\d,]+ ticks with ${what}\n`));
  const [, ticks] = /([\d,]+) ticks, 0 violated/.exec(stdout) ?? [];
  assert.ok(Number(ticks!.replaceAll(',', '')) >= 200_000, stdout);
});

/** Whether a drawn run shows a thing that the command must carry over to the bit. */
const SHOWS: Record<string, (run: Case) => boolean> = {
  'a nemesis': ({ nemesis = [] }) => nemesis.length > 2,
  'knobs and a network': (run) => knobsOf(run).ticks !== 'regular' && run.latency.startsWith('exp'),
  'its faults one by one': ({ faults = [], nemesis }) => faults.length > 2 && !nemesis,
};
swarm('prints a command that makes the run again, byte for byte', async () => {
  const some = Array.from({ length: 300 }, (_, seed) => drawn(seed, 300))
    .filter((run) => commandOf(run) !== null);
  const stated = some.map(({ nemesis: _, ...run }) => run);
  await Promise.all(Object.entries(SHOWS).map(async ([what, shows]) => {
    const run = [...some, ...stated].find(shows)!;
    const cwd = mkdtempSync(join(tmpdir(), 'lab-'));
    const command = commandOf(run)!.replaceAll(/npx tsx (\w+\.ts)/g,
      (_, script) => `${process.execPath} --import ${tsx} ${join(root, script)}`);
    const inFolder = $({ nothrow: true, quiet: true, cwd });
    const { exitCode, stdout, stderr } = await inFolder`sh -c ${command}`;
    assert.is(exitCode, 0, what + stdout + stderr);
    for (const [id, text] of logsOf(run).entries()) {
      assert.is(readFileSync(join(cwd, 'logs', 'shrunk', `machine-${id}.csv`), 'utf8'), text, what);
    }
    rmSync(cwd, { recursive: true });
  }));
});
swarm.run();
