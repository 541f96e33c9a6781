/** The files of a run's logs, read into columns; large ones by two threads. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { startThread } from '../cli/thread.ts';
import { asMadeHere, type Bad, type Log, logReader } from './log.ts';

/** Bytes that are read at once: few enough to stay in the processor's cache. */
const PIECE = 2 ** 20;
/** Logs of fewer bytes are read before a second thread has started. */
const LARGE = 2 ** 26;

/** A file with a machine's log. */
interface Source { path: string; id: number; foreign: boolean }

/** What a file holds: its rows, and the lines that are none. */
export interface Content { log: Log; bad: Bad | null }

/**
 * Reads the logs of a run. A torn last line is cut; a file that is not there has no rows.
 * @param large a thread helps with logs of so many bytes together
 */
export function readLogs(sources: Source[], large = LARGE): Content[] {
  const sized = sources.map((source) => ({ source,
    bytes: existsSync(source.path) ? statSync(source.path).size : 0 }));
  const isLarge = sized.reduce((sum, { bytes }) => sum + bytes, 0) >= large;
  const [here, aside]: Source[][] = [[], []];
  // The largest first, each to whoever has less to read.
  let lead = 0;
  for (const { source, bytes } of sized.sort((a, b) => b.bytes - a.bytes)) {
    const toOther = isLarge && lead > 0;
    (toOther ? aside : here)!.push(source);
    lead += toOther ? -bytes : bytes;
  }
  const others = aside!.length > 0 ? readingAside(aside!) : () => [];
  return [...here!.map(readLog), ...others()].sort((a, b) => a.log.machine - b.log.machine);
}

function readLog({ path, id, foreign }: Source): Content {
  if (!existsSync(path)) return { log: logReader(id, 0).log, bad: null };
  const file = openSync(path, 'r');
  try {
    const length = fstatSync(file).size;
    const reader = logReader(id, length, foreign);
    let piece = Buffer.allocUnsafe(Math.min(PIECE, length));
    for (let kept = 0, read; (read = readSync(file, piece, kept, piece.length - kept, null)) > 0;) {
      const filled = kept + read;
      const done = reader.read(piece.subarray(0, filled));
      piece.copy(piece, 0, done, filled);
      kept = filled - done;
      // A line that is longer than a piece.
      if (kept === piece.length) piece = Buffer.concat([piece, Buffer.allocUnsafe(kept)]);
    }
    return { log: reader.log, bad: reader.bad };
  } finally {
    closeSync(file);
  }
}

// ── A thread beside ──────────────────────────────────────────────────────────────────────────

interface Aside { sources: Source[]; port: MessagePort; done: Int32Array }

/** Begins to read in a thread. @returns waits for what it finds; throws what it has thrown */
function readingAside(sources: Source[]): () => Content[] {
  const { port1, port2: port } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const aside: Aside = { sources, port, done };
  startThread(import.meta.url, 'loaded.readAside(workerData);',
    { workerData: aside, transferList: [port] });
  return () => {
    Atomics.wait(done, 0, 0);
    const { message } = receiveMessageOnPort(port1) as { message: Content[] | Error };
    port1.close();
    if (message instanceof Error) throw message;
    return message.map(({ log, bad }) => ({ log: asMadeHere(log), bad }));
  };
}

/** What the thread does: it hands over its columns without a copy. */
export function readAside({ sources, port, done }: Aside): void {
  try {
    const found = sources.map(readLog);
    const columns = found.flatMap(({ log }) =>
      Object.values(log).filter(ArrayBuffer.isView).map(({ buffer }) => buffer as ArrayBuffer));
    port.postMessage(found, [...new Set(columns)]);
  } catch (error) {
    port.postMessage(error);
  } finally {
    Atomics.store(done, 0, 1);
    Atomics.notify(done, 0);
  }
}
