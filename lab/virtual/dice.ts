/**
 * The die as a table. The rule says what each roll does; here it is asked, once for a number of
 * machines, where its answer changes, so that a loop can compare words in its place.
 */
import { EVERYONE, NO_MESSAGE, NOBODY, step } from '../model/rule.ts';

/** The words of a die: a roll is one of them over 2^32. */
const WORDS = 2 ** 32;

/**
 * How many words a machine's die has, from 0 on, whose outcome comes before a place: peers stand in
 * the order of their ids, then all, then nobody.
 * @param place 1 … machines: up to machines − 1 words that send to so many first peers; `machines`
 *   words that send at all
 */
export function wordsBefore(
  id: number, machines: number, internal: number, place: number,
): number {
  const placeOf = (word: number): number => {
    const { to } = step({ id, machines, internal, clock: 0 }, NO_MESSAGE, word / WORDS);
    return to === NOBODY ? machines : to === EVERYONE ? machines - 1 : to < id ? to : to - 1;
  };
  let [low, high] = [0, WORDS];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (placeOf(middle) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
