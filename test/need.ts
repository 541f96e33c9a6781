/**
 * Tools that a test needs and that a computer may not have. Without one its tests are skipped, and
 * test/run.ts says so; under LAB_REQUIRE_ALL=1, as in .ci/run, that is a failure.
 *
 *   const test = suite('a machine in Go');
 *   const withGo = need('go') ? test : test.skip;
 *   withGo('joins the mesh', async () => { … });
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Whether a command is there: by name on the PATH, or by its path. */
export function need(tool: string): boolean {
  const places = isAbsolute(tool) ? [tool]
    : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, tool));
  return announced(tool, places.some(isExecutable));
}

/** Whether Debian's Python has a module, as `grpc`. */
export function needPython(module: string): boolean {
  const { status } = spawnSync('/usr/bin/python3', ['-c', `import ${module}`]);
  return announced(`python3 with ${module}`, status === 0);
}

function announced(tool: string, found: boolean): boolean {
  if (found) return true;
  if (process.env.LAB_REQUIRE_ALL === '1') throw new Error(`this computer has no ${tool}`);
  console.log(`# without: ${tool}`);
  return false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
