/**
 * What `npm test` has no time for. It tries a property a few times, and leaves out tests that take
 * half a second; `npm run test:system` runs the files that import this once more, with all of it.
 *
 *   fc.assert(fc.property(…), { numRuns: runs(10, 300) });
 *   const thorough = thoroughly(test);
 *   thorough('takes ten million rows', () => { … });
 */
import type { Test } from 'uvu';

/** Whether test/run.ts asks for all of it. */
export const isThorough = process.env.LAB_THOROUGH === '1';

/** How often a property is tried. */
export const runs = (few: number, whole: number): number => (isThorough ? whole : few);

/** A suite whose tests are left out of the quick ones. */
export const thoroughly = <T>(test: Test<T>): Pick<Test<T>, never> & ((
  ...declaration: Parameters<Test<T>>) => void) => (isThorough ? test : () => {});
