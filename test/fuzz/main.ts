/** `npm run fuzz -- --minutes 5 [parser…] --seed n`: drives every parser, or those named, and prints a table. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { seedOf } from '../../src/cli/options/flags.js';
import { fuzz } from './fuzz.js';
import { parsers } from './parsers.js';

const names = parsers.map(({ name }) => name);
const command = new Command('fuzz')
  .argument('[parser...]', `which of ${names.join(', ')}; left out, all`)
  .option('--minutes <n>', 'how long in all', Number, 1)
  .option('--seed <n>', 'of the first inputs', seedOf, Math.floor(Math.random() * 1e9))
  .addOption(new Option('--at-once <n>', 'processes side by side').argParser(Number).default(2))
  .parse();
const { minutes, seed, atOnce } = command.opts<{ minutes: number; seed: number; atOnce: number }>();
const unknown = command.args.find((name) => !names.includes(name));
if (unknown !== undefined) command.error(`no parser called ${unknown}`);

const rows = await fuzz({
  child: join(dirname(fileURLToPath(import.meta.url)), 'child.js'),
  names: command.args.length > 0 ? command.args : names,
  ...{ seconds: 60 * minutes, seed, atOnce },
  onFailure: (name, batchSeed, { kind, path, input, error }) =>
    console.log(`\n${name}: ${kind} (seed ${batchSeed}, path ${path})\n  input: ${input}\n  ${error}\n`),
});

console.log(`seed ${seed}, ${minutes} minutes`);
console.log('parser            inputs  crashes  over bounds  peak RSS');
for (const { name, inputs, crashes, beyond, peakBytes } of rows)
  console.log(
    `${name.padEnd(15)} ${String(inputs).padStart(8)} ${String(crashes).padStart(8)} ${String(beyond).padStart(12)} ` +
      `${(peakBytes / 2 ** 20).toFixed(0).padStart(5)} MiB`,
  );
process.exitCode = rows.some(({ crashes, beyond }) => crashes + beyond > 0) ? 1 : 0;
