/**
 * Starts tslab as the kernel of this project's notebooks. Jupyter calls it with a connection file,
 * as kernel.json says; `npm run notebook` tells Jupyter where to find that.
 *
 * To plain tslab it adds three things. Cells work in the project's root, and import its scripts as
 * the scripts import each other: `import { show } from './notebook.ts'`. An error that nobody
 * caught fails its cell. And with LAB_JOURNAL set it writes down in that file all that a cell puts
 * out, so that whoever executes a notebook can tell whether all of it has arrived.
 */
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setImmediate as immediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

/** A line of the journal; cells are counted from 1, as Jupyter counts executions. */
export type JournalEntry = { cell: number } & (
  | { began: true }
  | { stream: 'stdout' | 'stderr'; text: string }
  | { display: string[] }
  | { uncaught: string }
  | { ended: 'ok' | 'error' });

const root = new URL('../../../../', import.meta.url);
process.chdir(fileURLToPath(root));
const require = createRequire(root);

// ── Types: tslab's compiler knows imports only as they were before `.ts` was allowed in them ──

const compiler = require.resolve('@tslab/typescript-for-tslab');
const ts = require(compiler);
const options = {
  strict: true,
  allowImportingTsExtensions: true,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: ['node'],
  lib: undefined, // All that belongs to the target, as for the scripts.
};
// tslab stops for good when a script is changed on disk. What a cell has imported stays as it was
// until the kernel is restarted anyhow.
ts.sys.watchFile = ts.sys.watchDirectory = () => ({ close() {} });
require.cache[compiler]!.exports = {
  ...ts,
  createWatchCompilerHost: (files: string[], defaults: object, ...rest: unknown[]) =>
    ts.createWatchCompilerHost(files, { ...defaults, ...options }, ...rest),
  // Of the cell alone: the scripts that it imports are checked by `npm run typecheck`.
  getPreEmitDiagnosticsOfFiles: (program: unknown, [cell]: unknown[]) =>
    ts.getPreEmitDiagnosticsOfFiles(program, [cell]),
};

// ── Imports: the `require` that tslab makes of them cannot load a module that awaits ─────────

const modules = new Map<string, () => unknown>();

/** Imports what a cell will require, so that cells and scripts share one instance of each. */
async function load(code: string): Promise<void> {
  const imports: { fileName: string }[] = ts.preProcessFile(code).importedFiles;
  const names = imports.map(({ fileName }) => fileName);
  for (const name of names.filter((name) => name !== 'tslab' && !modules.has(name))) {
    try {
      const module = await import(name.startsWith('.') ? new URL(name, root).href : name);
      const exports = { __esModule: true, ...module };
      modules.set(name, () => exports);
    } catch (error) {
      modules.set(name, () => { throw error; });
    }
  }
}

// ── Cells: what they put out, and errors that nobody caught ──────────────────────────────────

const { JupyterHandlerImpl, ZmqServer } = require('tslab/dist/jupyter.js');
let running = 0;
let uncaught = 0;
let closing = false;

function note(entry: JournalEntry): void {
  const journal = process.env.LAB_JOURNAL;
  if (journal) appendFileSync(journal, `${JSON.stringify(entry)}\n`);
}

for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, (error) => { // Beside tslab's own listener, which prints the error.
    // tslab does not wait for its last reply before it closes the socket: that is no cell's error.
    if (closing && error?.code === 'EBADF') return;
    uncaught++;
    note({ cell: running, uncaught: inspect(error) });
    if (running === 0) process.exit(1); // A kernel that cannot start must not keep anyone waiting.
  });
}

type Stream = (stream: 'stdout' | 'stderr', text: string) => void;
type Display = (content: { data: object }, update?: boolean) => void;
type Publisher = {
  sendHighWaterMark: number;
  send(message: unknown): Promise<void>;
  close(): void;
};

const { handleExecuteImpl } = JupyterHandlerImpl.prototype;
JupyterHandlerImpl.prototype.handleExecuteImpl = async function execute(
  request: { code: string }, writeStream: Stream, writeDisplay: Display,
): Promise<unknown> {
  const cell = ++running;
  note({ cell, began: true });
  const stream: Stream = (stream, text) => {
    note({ cell, stream, text });
    writeStream(stream, text);
  };
  const display: Display = (content, update) => {
    if (!update) note({ cell, display: Object.keys(content.data) });
    writeDisplay(content, update);
  };
  uncaught = 0;
  await load(request.code);
  try {
    const count = await handleExecuteImpl.call(this, request, stream, display);
    await immediate(); // Only after the microtasks is a rejection known to be unhandled.
    if (uncaught > 0) throw count; // In this way tslab says that a cell failed.
    note({ cell, ended: 'ok' });
    return count;
  } catch (count) {
    note({ cell, ended: 'error' });
    throw count;
  }
};

const { close } = ZmqServer.prototype;
ZmqServer.prototype.close = function stop(): void {
  closing = true;
  close.call(this);
};

// A cell that puts out a lot loses nothing: ZeroMQ refuses a message while it is busy with the one
// before, and from the thousandth on it drops what a slow listener has not taken.
const { bindSocket } = ZmqServer.prototype;
ZmqServer.prototype.bindSocket = function bind(socket: Publisher, port: number): Promise<void> {
  if (socket === this.iopub) {
    socket.sendHighWaterMark = 0;
    let last = Promise.resolve();
    let closed = false;
    const queue = (act: () => Promise<void> | void) =>
      (last = last.then(() => (closed ? undefined : act())));
    this.iopub = {
      send: (message: unknown) => queue(() => socket.send(message)),
      close: () => queue(() => {
        closed = true;
        socket.close();
      }),
    };
  }
  return bindSocket.call(this, socket, port);
};

require('tslab/dist/main.js').startKernel({ configPath: process.argv[2], enableFindLocal: false });

// What tslab compiles a cell to takes its `require` from this global.
const { __tslab__: cells } = globalThis as unknown as { __tslab__: { require: NodeJS.Require } };
const { require: fallBack } = cells;
cells.require = Object.assign((name: string) => {
  const module = modules.get(name);
  return module ? module() : fallBack(name);
}, fallBack);
