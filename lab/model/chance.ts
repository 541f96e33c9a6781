/**
 * All chance of a run, as a function of its seed: a stream for each machine and purpose, of which
 * any number can be had at once, so that a tick's roll depends on (seed, machine, tick) alone.
 */

/** A source of chance: its n-th number is a function of the stream and n alone. */
export interface Stream {
  readonly first: number;
  readonly second: number;
}

/** What a stream's numbers are for: streams of two purposes have nothing to do with each other. */
export const PURPOSE = {
  rolls: 0, configuration: 1, latency: 2, loss: 3, ticks: 4, nemesis: 5,
} as const;

/** C. Wellons' `lowbias32`: each bit of a word moves each bit of the result half the time. */
function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return word ^ (word >>> 16);
}

/** A machine's stream for a purpose. Seeds and ids in a row give streams that are unrelated. */
export function stream(seed: number, machine: number, purpose: number): Stream {
  let [first, second] = [0x243f6a88, 0x85a308d3];
  for (const part of [seed, seed / 2 ** 32, machine, purpose]) {
    first = mix((first ^ part) + 0x9e3779b9);
    second = mix((second ^ part) + 0x9e3779b9);
  }
  return { first, second };
}

/** The n-th number of a stream: uniform in [0, 1) in steps of 2^-32, n below 2^32. */
export function uniform({ first, second }: Stream, n: number): number {
  return (mix(mix(n ^ first) + second) >>> 0) / 2 ** 32;
}

/**
 * The natural logarithm of x in (0, 1], to 15 digits. Math.log may differ in its last bit from one
 * computer to the next; this uses nothing but + − × ÷, which IEEE 754 fixes to the bit, in the
 * series ln x = 2·(z + z³/3 + z⁵/5 + …) with z = (x − 1)/(x + 1) (Abramowitz & Stegun 4.1.27).
 */
export function logarithm(x: number): number {
  let halvings = 0;
  for (; x < 0.5; x *= 2) halvings++;
  const z = (x - 1) / (x + 1);
  let sum = 0;
  for (let odd = 33; odd > 0; odd -= 2) sum = sum * z * z + 1 / odd;
  return 2 * z * sum - halvings * 0.6931471805599453;
}
