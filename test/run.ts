/**
 * Runs every test file in a process of its own and guards against the ways in which uvu passes
 * although nothing was tested: a suite that is never run, an empty one, a hook that throws.
 *
 *   node --import tsx test/run.ts              all of test/*.test.ts (this is npm test)
 *   node --import tsx test/run.ts system       all of test/system/ (this is npm run test:system)
 *   node --import tsx test/run.ts check sweep  those whose name has one of the words
 *
 * A tool that is missing skips its tests, which is said at the end: `3 skipped: go`. Under
 * LAB_REQUIRE_ALL=1 that is a failure.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';

const here = import.meta.dirname;
const words = process.argv.slice(2);
/** These take longest, and start first, so that none of them runs alone at the end. */
const slow = ['notebooks.test.ts', 'launch.test.ts'];
/** Real machines that tick in real time: one file after the other, since each wants the time. */
const timed = ['launch', 'live', 'machines', 'mesh', 'nemesis']
  .map((name) => join('system', `${name}.test.ts`));
// Where no shell stands above it, bash takes its piped input for a remote login and runs ~/.bashrc.
if (!(Number(process.env.SHLVL) > 0)) process.env.SHLVL = '1';
/** Far more than any file needs on a busy computer; a test that hangs must not hang them all. */
const LIMIT = '480s';
const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => (words.length > 0 ? words.some((word) => file.includes(word))
    : !file.startsWith('system'))) // These need many processes, browsers or minutes.
  .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));

function rank(file: string): number {
  return slow.includes(file) ? slow.indexOf(file) : slow.length;
}

/** How many tests a file declares: the calls of each suite that it makes. */
function declared(file: string): number {
  const source = readFileSync(join(here, file), 'utf8');
  // A suite goes by another name where its tests need a tool: see need.ts.
  const suites = new Set([...source
    .matchAll(/const (\w+) = (?:suite\(|.+ \? \w+ : \w+\.skip;)/g)].map(([, name]) => name));
  return [...suites].reduce((sum, name) =>
    sum + [...source.matchAll(new RegExp(`^\\s*${name}(\\.only|\\.skip)?\\(`, 'gm'))].length, 0);
}

interface Result { passed: number; failed: number; skipped: number; without: string[] }

async function runFile(file: string): Promise<Result> {
  const started_ms = Date.now();
  const quiet = $({ nothrow: true, quiet: true, timeout: LIMIT, timeoutSignal: 'SIGKILL' });
  const { exitCode, signal, stdout, stderr } =
    await quiet`${process.execPath} --import tsx ${join(here, file)}`;
  const count = (what: string) => Number(new RegExp(`${what}:\\s+(\\d+)`).exec(stdout)?.[1] ?? 0);
  const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')];
  const without = [...stdout.matchAll(/^# without: (.+)$/gm)].map(([, tool]) => tool!);
  const least = declared(file);
  const why = signal ? `${signal}, which it gets itself or after ${LIMIT}`
    : exitCode !== 0 ? `exit code ${exitCode}`
    : least === 0 ? 'it declares no test'
    : total + skipped < least ? `${least} tests are declared and ${total + skipped} known`
    : passed !== total ? `${total - passed} did not pass`
    : skipped > 0 && without.length === 0 ? `${skipped} skipped, and no tool was missing`
    : null;
  const time_s = ((Date.now() - started_ms) / 1000).toFixed(1).padStart(5);
  console.log(`${why === null ? 'ok  ' : 'FAIL'} ${file.padEnd(28)} ${String(passed).padStart(4)} `
    + `tests ${time_s} s${skipped > 0 ? `   ${skipped} skipped` : ''}`
    + `${why === null ? '' : `   ${why}\n${stdout}${stderr}`}`);
  const failed = why === null ? 0 : Math.max(1, total - passed);
  return { passed, failed, skipped, without };
}

let [passed, failed, skipped] = [0, 0, 0];
const missing = new Set<string>();
const inTurn = files.filter((file) => timed.includes(file));
const others = files.filter((file) => !timed.includes(file));
// One more than there are cores: the tests of real machines wait for them half of their time.
await Promise.all(Array.from({ length: availableParallelism() + 1 }, async (_, nth) => {
  for (let file; (file = (nth === 0 ? inTurn.shift() : null) ?? others.shift()) !== undefined;) {
    const result = await runFile(file);
    passed += result.passed;
    failed += result.failed;
    skipped += result.skipped;
    for (const tool of result.without) missing.add(tool);
  }
}));
if (passed + skipped === 0) {
  console.error(words.length > 0 ? `no test ran: no file is named like ${words.join(', ')}`
    : 'no test ran');
  failed++;
}
if (skipped > 0) console.log(`\n${skipped} skipped: ${[...missing].join(', ')}`);
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 ? 0 : 1);
