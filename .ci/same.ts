/** Whether Parquet files, one after the other, are another one, row for row: its first argument. */
import pl from 'nodejs-polars';

const [whole, ...parts] = process.argv.slice(2);
const read = (file: string) => pl.readParquet(file).drop('command'); // Each part has its own.
const joined = pl.concat(parts.map(read));
const rows = read(whole!);
if (joined.height !== rows.height || joined.writeCSV().toString() !== rows.writeCSV().toString()) {
  console.error(`${joined.height} rows in ${parts.length} parts are not the ${rows.height} rows`);
  process.exit(1);
}
console.log(`${rows.height} rows in ${parts.length} parts are the whole`);
