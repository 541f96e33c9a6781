/**
 * tslab's TypeScript, told what tslab does not know: imports with `.ts` in them, and from which
 * line of a cell each line of JavaScript comes. Load it before tslab.
 */
import { SourceMap } from 'node:module';

type Options = { compilerOptions: object };
type Output = { outputText: string; sourceMapText?: string };
/** What is used of @tslab/typescript-for-tslab, which has no types of its own. */
export interface TypeScript {
  ModuleResolutionKind: Record<string, number>;
  sys: Record<'watchFile' | 'watchDirectory', unknown>;
  createWatchCompilerHost(files: string[], defaults: object, ...rest: unknown[]): Host;
  getPreEmitDiagnosticsOfFiles(program: unknown, files: unknown[]): unknown;
  transpileModule(code: string, options: Options): Output;
  preProcessFile(code: string): { importedFiles: { fileName: string }[] };
}

interface Builder { emit(file: { fileName: string }, ...rest: unknown[]): unknown }
interface Host { afterProgramCreate?: (builder: Builder) => void }

/**
 * tslab would compile all scripts that a cell imports, with their declarations, which takes longer
 * than all else: but tsx runs them.
 */
function emittingCells(host: Host): Host {
  let keep: (builder: Builder) => void;
  return Object.defineProperty(host, 'afterProgramCreate', {
    set(given: typeof keep) { keep = given; },
    get: () => (builder: Builder): void => {
      const { emit } = builder;
      builder.emit = (file, ...rest) =>
        (file.fileName.endsWith('__tslab__.ts') ? emit(file, ...rest) : undefined);
      keep(builder);
    },
  });
}

/** From a place in what runs to the same place in what stands in the cell. */
const maps = new Map<number, SourceMap[]>();
const INLINE = /\n\/\/# sourceMappingURL=data:application\/json;base64,(\S+)\s*$/;

/** The name of a cell in the stack of an error. */
const nameOf = (cell: number) => `cell-${cell}`;

/**
 * Puts the mended compiler in the place of tslab's.
 * @param running the number of the cell that is compiled
 */
export function mendCompiler(require: NodeJS.Require, running: () => number): TypeScript {
  const path = require.resolve('@tslab/typescript-for-tslab');
  const ts = require(path) as TypeScript;
  const options = {
    strict: true,
    allowImportingTsExtensions: true,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: ['node'],
    lib: undefined, // All that belongs to the target, as for the scripts.
    inlineSourceMap: true,
  };
  // tslab stops for good when a script is changed on disk. What a cell has imported stays as it
  // was until the kernel is restarted anyhow.
  ts.sys.watchFile = ts.sys.watchDirectory = () => ({ close() {} });
  require.cache[path]!.exports = {
    ...ts,
    createWatchCompilerHost: (files: string[], defaults: object, ...rest: unknown[]) =>
      emittingCells(ts.createWatchCompilerHost(files, { ...defaults, ...options }, ...rest)),
    // Of the cell alone: the scripts that it imports are checked by `npm run typecheck`.
    getPreEmitDiagnosticsOfFiles: (program: unknown, [cell]: unknown[]) =>
      ts.getPreEmitDiagnosticsOfFiles(program, [cell]),
    // The second of tslab's two steps, from ES modules to CommonJS.
    transpileModule(code: string, given: Options): Output {
      const first = INLINE.exec(code)?.[1];
      const map = first && JSON.parse(Buffer.from(first, 'base64').toString());
      if (!map?.sources[0]?.endsWith('__tslab__.ts')) return ts.transpileModule(code, given);
      const { outputText, sourceMapText } = ts.transpileModule(code.replace(INLINE, ''),
        { ...given, compilerOptions: { ...given.compilerOptions, sourceMap: true } });
      maps.set(running(), [new SourceMap(JSON.parse(sourceMapText!)), new SourceMap(map)]);
      const script = outputText.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '');
      return { outputText: `${script}\n//# sourceURL=${nameOf(running())}` };
    },
  };
  return ts;
}

/** The cell and its line, both from 1, that a line of a stack speaks of; null if it is of none. */
export function placeInCell(frame: string): { cell: number; line: number } | null {
  const [, cell, line, column] = /\bcell-(\d+):(\d+):(\d+)/.exec(frame)?.map(Number) ?? [];
  let at = { line: line! - 1, column: column! - 1 };
  for (const map of maps.get(cell!) ?? []) {
    const entry = map.findEntry(at.line, at.column);
    if (!('originalLine' in entry)) return null;
    at = { line: entry.originalLine, column: entry.originalColumn };
  }
  // tslab writes one line before each cell, so that lines from 0 are lines from 1.
  return cell !== undefined && maps.has(cell) && at.line > 0 ? { cell, line: at.line } : null;
}
