/** One real run as a user has it; test/system/launch.test.ts has those that go wrong. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $ } from 'zx';
import { checkRun, readRun } from '../check.ts';
import { machineCommand } from '../lab/real/bundle.ts';

const script = fileURLToPath(new URL('../launch.ts', import.meta.url));

const launched = suite('launch.ts');
launched('runs real machines to their end, checks them and sums up', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'lab-'));
  const words = ['--rates', '1,4,6', '--seed', '7', '--duration', '10', '--speed', '10',
    '--name', 'a'];
  const { exitCode, stdout, stderr } = await $({ nothrow: true, quiet: true, cwd })`
    ${process.execPath} --import ${import.meta.resolve('tsx')} ${script} ${words}`;
  assert.equal([exitCode, stderr], [0, ''], stdout);
  assert.match(stdout, 'could have made');
  assert.match(stdout, 'report.html');
  const { run, logs } = readRun(join(cwd, 'logs', 'a'));
  assert.equal([run.rates_hz, run.ended, logs.length], [[1, 4, 6], 'finished', 3]);
  assert.equal(checkRun(run, logs).violations, []);
});
launched('starts machines that load a wire only if it is theirs', async () => {
  const file = (await machineCommand()).at(-1)!;
  const code = `import(${JSON.stringify(file)})
    .then(() => console.log(Object.keys(require.cache).join()))`;
  const { stdout } = await $({ quiet: true })`${process.execPath} -e ${code}`;
  assert.is(stdout, '\n', 'a machine on tcp loads what another wire needs');
});
launched.run();
