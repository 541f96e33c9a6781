/**
 * Tests that mostly wait for real machines begin a few at a time. Each is still a test of its own,
 * whose failure is its own.
 */

type Declare = (name: string, body: () => Promise<void>) => void;

/**
 * Declares tests of a suite that run beside each other, in the order in which they are declared.
 * @param test the suite, or what skips its tests
 * @param most so many at once
 * @example
 *   const all = suite('machines');
 *   const test = beside(all);
 *   test('tick', async () => { … });
 *   all.run();
 */
export function beside(test: Declare, most = 2): Declare {
  const bodies: (() => Promise<void>)[] = [];
  let ends: Promise<void>[] | null = null;
  const begin = (): Promise<void>[] => {
    const all: Promise<void>[] = [];
    for (const [nth, body] of bodies.entries()) {
      // Those that are `most` places earlier or more have ended, no matter how.
      const before = Promise.allSettled(all.slice(0, Math.max(0, nth + 1 - most)));
      all.push(before.then(body));
      all[nth]!.catch(() => {}); // Its own test hears of it.
    }
    return all;
  };
  return (name, body) => {
    const nth = bodies.push(body) - 1;
    test(name, () => (ends ??= begin())[nth]!);
  };
}
