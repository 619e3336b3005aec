import { Command } from 'commander';
import { InputError } from '../../base/errors.js';
import { withResults } from '../../library/results.js';
import { roofline } from '../../library/roofline.js';
import { precisionNames } from '../../analysis/figures/roofline.js';
import { rooflineDocument, rooflineTable } from '../../text/roofline.js';
import type { CeilingSubject, StoredRoofline } from '../../store/rooflines.js';
import { Bar } from '../output/bar.js';
import { exitCodes } from '../failure.js';
import { batchSize, roundsFrom } from '../options/flags.js';
import { resultsOption, sharedOption } from '../options/results.js';
import { leftOf } from '../output/progress.js';
import { stopOnSignal } from '../stop.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { tableText } from '../output/lists.js';

interface RooflineFlags {
  readonly batch: number;
  readonly rounds: number;
  readonly results: string;
  readonly db?: string;
  readonly list?: true;
  readonly json?: true;
}

/** `edgeflex roofline`: what a device can do at best. */
export function rooflineCommand(): Command {
  const command = new Command('roofline')
    .argument('[device]', 'a device profile: a file, or a name listed by "edgeflex devices list"')
    .option('--batch <n>', 'batch size whose matrix products are measured', batchSize, 8)
    .option('--rounds <n>', 'fresh processes for each', roundsFrom(2), 3)
    .addOption(resultsOption())
    .addOption(sharedOption('also deliver what is found to this database on a PostgreSQL server'))
    .option(
      '--list',
      'list the stored results of all devices, with --db those of the database; measure nothing',
    )
    .option('--json', 'print the result as JSON')
    .action(async (path: string | undefined, flags: RooflineFlags) => {
      if (flags.list) return showKnown(flags);
      if (path === undefined)
        throw new InputError({
          source: 'roofline',
          found: 'no device',
          expected: 'a device profile, such as local-cpu, or --list',
        });
      const found = await measured(path, flags);
      show([found], flags);
      if (found.ceilings.some(({ failure }) => failure?.status === 'failed'))
        process.exitCode = exitCodes.device;
    });
  return explained(command, {
    notes: [
      'Measures single-operator models with the same agent, runtime and threads as variants: the linear layers of ViT-Tiny, -Base and -Huge at 224 pixels, and sums of tensors. Takes one to two minutes; run nothing else meanwhile. The result is stored for the device in its present setup, and does not apply to another processor, runtime, thread count or session options. Reports then show how close each variant comes to it, and what limits it (docs/roofline.md).',
    ],
    examples: [
      'edgeflex roofline local-cpu',
      'edgeflex roofline local-cpu --batch 64 --rounds 5',
      'edgeflex roofline --list',
    ],
  });
}

async function measured(
  path: string,
  { batch, rounds, results, db }: RooflineFlags,
): Promise<StoredRoofline> {
  const bar = new Bar(process.stderr);
  const { signal, release } = stopOnSignal(
    () => 'Stopped. A roofline cannot be resumed: nothing was stored.',
  );
  try {
    const job = roofline(results, path, { batch, rounds, signal, db });
    for await (const event of job)
      if (event.kind === 'measuring')
        bar.show({ task: 'roofline', done: event.done, text: describe(event.subject), left: leftOf(event) });
      else {
        process.exitCode = exitCodes.device;
        bar.error(
          `not delivered to ${event.place}; it is kept in ${results}, and "edgeflex runs push" brings it along with a run of the device: ${event.reason}`,
        );
      }
    return await job;
  } finally {
    bar.end();
    release();
  }
}

function describe(subject: CeilingSubject): string {
  if (subject.kind === 'stream') return `memory, ${subject.bytes / 1024 ** 2} MiB`;
  const { rows, inner, columns } = subject.shape;
  return `${precisionNames[subject.precision]}, ${rows} × ${inner} × ${columns}`;
}

async function showKnown(flags: RooflineFlags): Promise<void> {
  show(
    await withResults(flags.db ?? flags.results, { readonly: true }, (results) => results.rooflines()),
    flags,
  );
}

function show(rooflines: readonly StoredRoofline[], { json }: RooflineFlags): void {
  if (json) printJson('roofline', rooflines.map(rooflineDocument));
  else if (rooflines.length === 0) console.log('No roofline has been measured yet.');
  else console.log(tableText(rooflineTable(rooflines)));
}
