/** What `npm test` says of test files that uvu passes although they have tested nothing. */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $ } from 'zx';

// In the project's folder, so that its packages are found; git ignores *.tmp.
const folder = fileURLToPath(new URL(`../../guard-${process.pid}.tmp`, import.meta.url));
const FILES: Record<string, string> = {
  fine: 'test(\'holds\', () => {});\ntest.run();',
  forgotten: 'test(\'is never run\', () => {});',
  empty: 'test.run();',
  hook: 'test.before(() => { throw new Error(\'no room\'); });\n'
    + 'test(\'a\', () => {});\ntest.run();',
  thrown: 'test(\'throws what is no Error\', () => { throw undefined; });\ntest.run();',
  ended: 'test(\'ends the process\', () => process.exit(0));\ntest.run();',
  wrong: 'test(\'fails\', () => { throw new Error(\'wrong\'); });\ntest.run();',
};

const guard = suite('test/run.ts');
guard('fails each file that tests nothing, and counts the one that does', async () => {
  mkdirSync(folder);
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const file of ['run.ts', 'worker.ts', 'runs.ts']) {
    copyFileSync(join(import.meta.dirname, '..', file), join(folder, file));
  }
  for (const [name, body] of Object.entries(FILES)) {
    writeFileSync(join(folder, `${name}.test.ts`),
      `import { suite } from 'uvu';\nconst test = suite('${name}');\n${body}\n`);
  }
  const { exitCode, stdout } = await $({ nothrow: true, quiet: true })`
    ${process.execPath} --import tsx ${join(folder, 'run.ts')}`;
  const verdicts = [...stdout.matchAll(/^(ok {2}|FAIL) (\w+)\.test\.ts/gm)]
    .map(([, verdict, name]) => [name!, verdict]);
  assert.equal(Object.fromEntries(verdicts), Object.fromEntries(Object.keys(FILES)
    .map((name) => [name, name === 'fine' ? 'ok  ' : 'FAIL'])), stdout);
  assert.match(stdout, /\n1 passed, 6 failed\n$/);
  assert.is(exitCode, 1);
});
guard.run();
