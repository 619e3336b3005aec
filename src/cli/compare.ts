import { Command, InvalidArgumentError } from 'commander';
import { InputError } from '../base/errors.js';
import { writeOutput } from '../base/output.js';
import { compareRuns } from '../analysis/compare/compare.js';
import type { ComparisonReport } from '../analysis/compare/gates.js';
import type { ComparisonExporter } from '../report/compare/exporters/exporter.js';
import { jsonComparisonExporter } from '../report/compare/exporters/json.js';
import { comparisonExporters } from '../report/compare/exporters/list.js';
import { confirmed, needConfirming } from '../analysis/compare/confirm.js';
import { checkGates, parseGates } from '../analysis/compare/gates.js';
import { referenceRun } from '../store/baselines.js';
import { listFloors } from '../store/floors.js';
import { hasFigures } from '../store/newest.js';
import { openForReading, openStore, type Db } from '../store/open.js';
import { findRun, loadRun, type RunSummary, type StoredRun } from '../store/read.js';
import { loadedPlugins, loadPlugins } from '../plugins/load.js';
import { executeSuite } from '../run/execute.js';
import { locateData } from '../run/locate-data.js';
import { pluginsOf, readSuite, type Suite } from '../suite/read.js';
import type { Gate } from '../base/gate.js';
import { didYouMean } from '../base/similar.js';
import { exitCodes } from './failure.js';
import { announcedNewest, stateText } from './newest.js';
import { RunProgress } from './progress.js';
import { databaseIn, resultsOption } from './results.js';
import { stopOnSignal } from './stop.js';
import { shellWords } from './words.js';

/** A format that was asked for, and the file it goes to; without one it is printed. */
interface Output {
  readonly exporter: ComparisonExporter;
  readonly file: string | undefined;
}

interface CompareFlags {
  readonly failOn?: string;
  readonly confirm?: string;
  readonly data?: string;
  readonly force?: true;
  readonly overwrite?: true;
  readonly json?: true;
  readonly results: string;
}

/** `edgeflex compare`: two runs side by side, with gates. */
export function compareCommand(): Command {
  // Each -o belongs to the --format before it, so both are gathered in the order they are given.
  const outputs: Output[] = [];
  return new Command('compare')
    .description('say what differs between two runs, and whether it is for the worse')
    .argument('<reference>', 'what is compared with: a baseline, or the beginning of a run’s id')
    .argument('[run]', 'the other run, named likewise; left out, the newest that has ended')
    .option(
      '--fail-on <gates>',
      'end with exit code 1 when one is broken, such as latency:2%,memory:5%,latency@int8:5%,accuracy:0.3pt; left out, the gates of the suite that the new run was made from',
    )
    .option(
      '--confirm <suite>',
      'where a figure breaks a gate, run this suite once more, and fail only on what that run shows, too',
    )
    .option('--data <path>', 'where its images lie, as for "edgeflex run"')
    .option('--force', 'compare runs of different machines, software or images; what differs is said')
    .option(
      `--format <name>`,
      `${comparisonExporters.map(({ name }) => name).join(', ')}; may be given several times`,
      (name: string) => {
        outputs.push({ exporter: exporterCalled(name), file: undefined });
        return name;
      },
    )
    .option(
      '-o, --output <file>',
      'where the --format before it goes; left out, it is printed',
      (file: string) => {
        const last = outputs.pop();
        if (last === undefined || last.file !== undefined)
          throw new InvalidArgumentError(
            'It belongs behind the --format that it is for, such as --format junit -o out.xml.',
          );
        outputs.push({ ...last, file });
        return file;
      },
    )
    .option('--overwrite', 'replace output files that EdgeFlex did not write')
    .option('--json', 'the same as --format json')
    .addOption(resultsOption())
    .addHelpText(
      'after',
      `
A difference counts when it is significant over all cells together (p ≤ 0.05 after Holm) and at least as large as what the
device can tell ("edgeflex calibrate"). A gate is broken by a difference for the worse that counts and is at least the gate, and
by a cell that failed where the reference did not. A gate that cannot be decided, also because other processes disturbed its cells,
is named and does not fail; one that finds nothing to compare does. Between two runs latencies are judged relative to fp32 in the same
rounds of the same run, so that a machine that is slower today cancels; the latencies themselves stay visible.

Examples:
  edgeflex compare 20261122 20261123                            two runs, by the beginnings of their ids
  edgeflex compare 20261122 --fail-on latency:2%,memory:5%,accuracy:0.3pt
  edgeflex compare main --fail-on latency:2% --confirm suites/cifar10.yaml
  edgeflex compare 20261122 --format markdown -o comment.md --format junit -o compare.xml
  edgeflex compare 20261122 --format github                     annotations, in a GitHub Actions step`,
    )
    .action(async (referenceName: string, runName: string | undefined, flags: CompareFlags) => {
      const asked = flags.failOn === undefined ? undefined : parseGates(flags.failOn);
      // What could not be measured again is known before it has to be.
      const again = flags.confirm === undefined ? undefined : await suiteAt(flags.confirm);
      if (flags.json) outputs.push({ exporter: jsonComparisonExporter, file: undefined });
      const db = await openForReading(databaseIn(flags.results));
      try {
        const { row: newer, passedOver } =
          runName === undefined
            ? await newest(db)
            : { row: await referenceRun(db, runName), passedOver: undefined };
        // A baseline has its name within its suite: main of this one is meant.
        const reference = await loadRun(db, await referenceRun(db, referenceName, newer.suite));
        const run = await loadRun(db, newer);
        const gates = asked ?? run.gates;
        for (const gate of gates) refuseUnknownVariant(gate, [reference, run]);
        if (passedOver !== undefined && gates.length > 0) refuseGating(passedOver);
        const p90 = gates.some(({ metric }) => metric === 'p90');
        const options = { floors: await listFloors(db), p90, force: flags.force ?? false };
        const comparison = compareRuns(reference, run, options);
        const first = checkGates(comparison, gates);
        const results =
          again !== undefined && needConfirming(first)
            ? confirmed(
                first,
                checkGates(compareRuns(reference, await measuredAgain(again, flags), options), gates),
              )
            : first;
        const report = { comparison, gates: results };
        await write(report, outputs, flags);
        if (report.gates.some(({ outcome }) => outcome === 'broken')) process.exitCode = exitCodes.gate;
      } finally {
        await db.destroy();
      }
    });
}

async function suiteAt(path: string): Promise<Suite> {
  await loadPlugins(await pluginsOf(path), path);
  return readSuite(path);
}

/** A further run of a suite. */
async function measuredAgain(suite: Suite, { data, results }: CompareFlags): Promise<StoredRun> {
  console.error('A gate is broken: measuring again.');
  const db = await openStore(databaseIn(results));
  const observer = new RunProgress(process.stderr);
  const { signal, release } = stopOnSignal();
  try {
    const { id } = await executeSuite(suite, {
      ...{ db, signal, observer, resume: false, plugins: loadedPlugins() },
      data: await locateData(suite.data.name, suite.data.path, data),
      command: shellWords(['edgeflex', ...process.argv.slice(2)]),
    });
    return await loadRun(db, await findRun(db, id));
  } finally {
    observer.end();
    release();
    await db.destroy();
  }
}

/** The newest run with figures, and a newer one that was passed over. */
async function newest(
  db: Db,
): Promise<{ readonly row: StoredRun['row']; readonly passedOver: RunSummary | undefined }> {
  const { run, passedOver } = await announcedNewest(db);
  return {
    row: await findRun(db, run.id),
    passedOver: passedOver[0] ?? (hasFigures(run) ? undefined : run),
  };
}

/** A name that no variant has guards nothing, and must not look like a regression. */
function refuseUnknownVariant({ variant }: Gate, runs: readonly StoredRun[]): void {
  const names = [...new Set(runs.flatMap(({ variants }) => variants.map(({ recipe }) => recipe)))];
  if (variant === undefined || names.includes(variant)) return;
  throw new InputError({
    source: '--fail-on',
    found: `the unknown variant "${variant}"${didYouMean(variant, names)}`,
    expected: names.join(', '),
  });
}

/** A gate must not pass because a run that failed was passed over. */
function refuseGating(newer: RunSummary): never {
  throw new InputError({
    source: '--fail-on',
    found: `a newest run, ${newer.id}, without figures: ${stateText(newer)}`,
    expected: 'a run that has ended with something measured, or the name of one',
    hint: `Go on with it ("edgeflex run" with --resume ${newer.id}), or name the run that is to be judged.`,
  });
}

function exporterCalled(name: string): ComparisonExporter {
  const found = comparisonExporters.find((exporter) => exporter.name === name);
  if (found) return found;
  throw new InvalidArgumentError(
    `Allowed choices are ${comparisonExporters.map((each) => each.name).join(', ')}.`,
  );
}

/** Writes what was asked for; where all of that goes to files, the terminal still shows the table. */
async function write(
  report: ComparisonReport,
  outputs: readonly Output[],
  flags: CompareFlags,
): Promise<void> {
  for (const { exporter, file } of outputs) {
    if (file === undefined) continue;
    await writeOutput(file, exporter.render(report), {
      force: flags.overwrite ?? false,
      inputs: [flags.results],
    });
  }
  const printed = outputs.filter(({ file }) => file === undefined).map(({ exporter }) => exporter);
  const screen = { colour: process.stdout.isTTY, width: process.stdout.columns };
  for (const exporter of printed.length > 0 ? printed : [comparisonExporters[0]])
    process.stdout.write(exporter.render(report, screen));
}
