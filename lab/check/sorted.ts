/**
 * The numbers from 0 to below `count` in an order, those that are equal as they stand: a merge sort
 * that begins with the runs that are already in order. Messages come channel by channel, each in
 * order, so that two senders cost one pass.
 */
export function sorted(count: number, before: (a: number, b: number) => boolean): Int32Array {
  let from = new Int32Array(count);
  let ends: number[] = [];
  for (let n = 0; n < count; n++) {
    from[n] = n;
    if (n > 0 && before(n, n - 1)) ends.push(n);
  }
  if (count > 0) ends.push(count);
  let to = new Int32Array(ends.length > 1 ? count : 0);
  while (ends.length > 1) {
    const merged: number[] = [];
    let begin = 0;
    for (let run = 0; run < ends.length; run += 2) {
      const middle = ends[run]!;
      const end = ends[run + 1] ?? middle;
      for (let a = begin, b = middle, place = begin; place < end || a < middle; place++) {
        const takeB = b < end && (a >= middle || before(from[b]!, from[a]!));
        to[place] = takeB ? from[b++]! : from[a++]!;
      }
      merged.push(end);
      begin = end;
    }
    [from, to, ends] = [to, from, merged];
  }
  return from;
}
