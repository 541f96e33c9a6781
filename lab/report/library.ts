/**
 * Plot, and d3 under it, each as the one file that it is published as for browsers: its hundreds of
 * modules take eight times as long to load. Where a version has no such file, the modules do.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';

type Library = typeof import('@observablehq/plot');

async function loadPlot(): Promise<Library> {
  try {
    const plot = createRequire(import.meta.url).resolve('@observablehq/plot');
    const d3 = createRequire(plot).resolve('d3');
    return published(join(dirname(plot), '../dist/plot.umd.min.js'),
      published(join(dirname(d3), '../dist/d3.min.js'))) as Library;
  } catch {
    return import('@observablehq/plot');
  }
}

/** What a file for browsers exports, if it asks for nothing but `needed`. */
function published(file: string, needed?: object): object {
  const run = compileFunction(readFileSync(file, 'utf8'), ['exports', 'module', 'require']);
  const library = { exports: {} };
  run(library.exports, library, () => needed);
  return library.exports;
}

export const Plot = await loadPlot();
