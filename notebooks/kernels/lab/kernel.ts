/**
 * Starts tslab as the kernel of this project's notebooks. Jupyter calls it with a connection file,
 * as kernel.json says; `npm run notebook` tells Jupyter where to find that.
 *
 * To plain tslab it adds five things. Cells work in the project's root, wherever Jupyter was
 * started, and import its scripts as the scripts import each other: `import { load } from
 * './analyze.ts'`. A frame that ends a cell shows itself as a table. An error says its message and
 * its line of the cell. One that nobody caught fails its cell. And with LAB_JOURNAL set the kernel
 * writes down in that file all that a cell puts out, so that whoever executes a notebook can tell
 * whether all of it has arrived.
 */
import { createRequire } from 'node:module';
import { setImmediate as immediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mendCompiler } from './compiler.ts';
import { complaint, explain, type LineOf } from './errors.ts';
import { note } from './journal.ts';

const root = new URL('../../../', import.meta.url);
process.chdir(fileURLToPath(root));
const require = createRequire(root);

/** The cell that runs, from 1, and what each cell said. */
let running = 0;
const sources = new Map<number, string>();
const lineOf: LineOf = (cell, line) => sources.get(cell)?.split('\n')[line - 1] ?? '';
const ts = mendCompiler(require, () => running);
const { isFrame, showFrame } = await import('./cells.ts'); // It loads tslab, so not before.

// ── Imports: the `require` that tslab makes of them cannot load a module that awaits ─────────

const modules = new Map<string, () => unknown>();

/** Imports what a cell will require, so that cells and scripts share one instance of each. */
async function load(code: string): Promise<void> {
  const names = ts.preProcessFile(code).importedFiles.map(({ fileName }) => fileName);
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
const executor = require('tslab/dist/executor.js');
let uncaught = 0;
let closing = false;

const { createExecutor } = executor;
executor.createExecutor = (folder: string, converters: object): unknown =>
  createExecutor(folder, converters, {
    /** The value of a cell's last expression. */
    log: (value: unknown) => (isFrame(value) ? showFrame(value) : console.log(value)),
    /** What a cell threw, or what the compiler holds against it: see tslab's executor. */
    error: (error: unknown, ...[, line, , text]: unknown[]) => console.error(line === undefined
      ? explain(error, lineOf) : complaint(String(text), running, Number(line), lineOf)),
  });

/** In the place of tslab's own listeners, which print the stack. */
function watchForUncaught(): void {
  for (const event of ['unhandledRejection', 'uncaughtException']) {
    process.removeAllListeners(event).on(event, (error) => {
      // tslab closes a socket without waiting for its last reply: that is no cell's error.
      if (closing && error?.code === 'EBADF') return;
      uncaught++;
      const explained = explain(error, lineOf);
      console.error(`nobody caught ${explained}`);
      note({ cell: running, uncaught: explained });
      // A kernel that cannot start must not keep anyone waiting.
      if (running === 0) process.exit(1);
    });
  }
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
  sources.set(cell, request.code);
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
watchForUncaught();

// What tslab compiles a cell to takes its `require` from this global.
const { __tslab__: cells } = globalThis as unknown as { __tslab__: { require: NodeJS.Require } };
const { require: fallBack } = cells;
cells.require = Object.assign((name: string) => {
  const module = modules.get(name);
  return module ? module() : fallBack(name);
}, fallBack);
