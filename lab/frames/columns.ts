/** A frame from columns of numbers and words. */
import pl, { type DataFrame, type DataType } from 'nodejs-polars';

/** The values of a column and its type; numbers become whole where the type is so. */
export type Columns = Record<string, readonly [
  values: ArrayLike<number | string | null>, type: DataType]>;

/** Columns in their order, null where a value is null. */
export const frameOf = (columns: Columns): DataFrame => pl.DataFrame(
  Object.fromEntries(Object.entries(columns).map(([name, [values, type]]) =>
    [name, type === pl.Utf8 ? pl.Series(name, values as string[], pl.Utf8)
      : pl.Series(name, values as number[], pl.Float64).cast(type as never)])));
