import { z } from 'zod';
import { hostingOf } from '../base/hosting.js';
import { storedGatesSchema, type Gate } from '../base/gate.js';
import { InputError } from '../base/errors.js';
import { Job } from '../base/job.js';
import { didYouMean } from '../base/similar.js';
import { compareRuns } from '../analysis/compare/compare.js';
import { confirmed, needConfirming } from '../analysis/compare/confirm.js';
import { checkGates, parseGates, type ComparisonReport, type GateResult } from '../analysis/compare/gates.js';
import { comparisonDocument, type ComparisonDocument } from '../report/compare/document.js';
import { comparisonExporters } from '../report/compare/exporters/list.js';
import type { RunEvent } from '../run/events.js';
import { referenceRun } from '../store/baselines.js';
import { listFloors } from '../store/floors.js';
import { hasFigures, newestRun, type NewestRun } from '../store/newest.js';
import { findRun, loadRun, type RunSummary, type StoredRun } from '../store/read.js';
import type { Suite } from '../suite/read.js';
import { stateText } from '../text/run-state.js';
import type { ImagesEvent } from './images.js';
import { checkedOptions, fields, type Stoppable } from './options.js';
import { refuseServer, withResults, type Results } from './results.js';
import { isPassing, runSuite, suiteAt } from './run.js';

/** How two runs are compared. */
export interface CompareOptions extends Stoppable {
  /** The run that is judged: a baseline, or the beginning of its id; left out, the newest that has ended with something measured. */
  readonly run?: string | undefined;
  /**
   * What must not get worse, such as `latency:2%,memory:5%,latency@int8:5%,accuracy:0.3pt`; left out, the gates of the suite that
   * the run was made from. An empty list judges nothing.
   */
  readonly gates?: string | readonly Gate[] | undefined;
  /** Compare runs of different machines, software or images, too; what differs is said. */
  readonly force?: boolean | undefined;
  /** Where a figure breaks a gate: run this suite once more, and let the gate fail only on what that run shows, too. */
  readonly confirm?: string | undefined;
  /** Where the images of that suite lie. */
  readonly data?: string | undefined;
  /** How the second run came about, for its record; left out, the arguments of this process. */
  readonly command?: string | undefined;
}

const optionsSchema = z.strictObject({
  signal: fields.signal,
  data: fields.data,
  run: z.string().min(1).optional(),
  gates: z.union([z.string(), storedGatesSchema]).optional(),
  force: z.boolean().default(false),
  confirm: z.string().min(1).optional(),
  command: z.string().optional(),
});

/** What happens while runs are compared: something only where a gate is to be confirmed. */
export type CompareEvent =
  | RunEvent
  | ImagesEvent
  /** A gate is broken, and the suite is run once more. */
  | { readonly kind: 'confirming' };

/** Two runs side by side, and what their gates say. */
export class RunComparison {
  /** @internal */
  constructor(
    /** @internal */
    readonly report: ComparisonReport,
    /** Which run was taken where none was named, and which newer ones were passed over; undefined where one was named. */
    readonly newest: NewestRun | undefined,
  ) {}

  /** The comparison for programs: every difference with its interval and verdict, every gate with what decided it. */
  get document(): ComparisonDocument {
    return comparisonDocument(this.report);
  }

  /** Gates that are broken; none where everything held, or could not be told. */
  get broken(): readonly GateResult[] {
    return this.report.gates.filter(({ outcome }) => outcome === 'broken');
  }

  /**
   * The comparison as a text.
   *
   * @param format - one of those that `edgeflex compare --format` has: `terminal`, `markdown`, `json`, `junit`, `github`
   * @throws InputError for another one
   */
  render(format: string): string {
    const exporter = comparisonExporters.find(({ name }) => name === format);
    if (exporter) return exporter.render(this.report);
    const names = comparisonExporters.map(({ name }) => name);
    throw new InputError({
      source: 'format',
      found: `"${format}"${didYouMean(format, names)}`,
      expected: names.join(', '),
    });
  }
}

/**
 * Compares a run with another one, figure by figure, and holds the differences against gates. A difference counts when it is
 * significant over all cells together (p ≤ 0.05 after Holm's correction) and at least the device's minimum detectable effect.
 *
 * @param results - open, or their folder
 * @param reference - what is compared with: a baseline, or the beginning of a run's id
 * @param options - which run is judged, and by what
 * @returns a job that gives the comparison; it has events only where a gate is to be confirmed
 * @throws InputError when there is no such run, the runs cannot be compared, or a gate names a variant that neither has; where
 *   a gate is confirmed, also what `run` throws
 *
 * @example
 * ```ts
 * const comparison = await compare('results', 'main', { gates: 'latency:2%,accuracy:0.3pt' });
 * if (comparison.broken.length > 0) console.log(comparison.render('markdown'));
 * ```
 */
export function compare(
  results: Results | string,
  reference: string,
  options: CompareOptions = {},
): Job<CompareEvent, RunComparison> {
  return new Job(
    (emit) => compared(results, reference, options, emit),
    (event) => event.kind !== 'confirming' && isPassing(event),
  );
}

async function compared(
  results: Results | string,
  referenceName: string,
  options: CompareOptions,
  emit: (event: CompareEvent) => void,
): Promise<RunComparison> {
  const asked = checkedOptions('compare', options, optionsSchema);
  // What could not be measured again is known before it has to be.
  const again = asked.confirm === undefined ? undefined : await suiteAt(asked.confirm);
  if (again !== undefined) refuseServer(results);
  return withResults(results, { readonly: true }, async ({ db, directory }) => {
    const newest = asked.run === undefined ? await newestRun(db) : undefined;
    const newer = newest ? await findRun(db, newest.run.id) : await referenceRun(db, asked.run ?? '');
    // A baseline has its name within its suite: main of this one is meant.
    const reference = await loadRun(db, await referenceRun(db, referenceName, newer.suite));
    const run = await loadRun(db, newer);
    const gates = typeof asked.gates === 'string' ? parseGates(asked.gates) : (asked.gates ?? run.gates);
    if (again !== undefined) refuseOtherSuite(again, run);
    for (const gate of gates) refuseUnknownVariant(gate, [reference, run]);
    if (newest && gates.length > 0) refuseGating(newest.passedOver[0] ?? newest.run);
    const p90 = gates.some(({ metric }) => metric === 'p90');
    const how = { floors: await listFloors(db), p90, force: asked.force };
    const comparison = compareRuns(reference, run, how);
    const first = checkGates(comparison, gates);
    const measuredAgain = async (suite: Suite): Promise<StoredRun> => {
      emit({ kind: 'confirming' });
      const { id } = await runSuite(directory, suite, asked, emit);
      return withResults(directory, { readonly: true }, async (stored) =>
        loadRun(stored.db, await findRun(stored.db, id)),
      );
    };
    const judged =
      again !== undefined && needConfirming(first)
        ? confirmed(first, checkGates(compareRuns(reference, await measuredAgain(again), how), gates))
        : first;
    const report = { comparison, gates: judged, hosting: await hostingOf(process.cwd()) };
    return new RunComparison(report, newest);
  });
}

function refuseOtherSuite({ name, path }: Suite, run: StoredRun): void {
  if (name === run.row.suite) return;
  throw new InputError({
    source: '--confirm',
    found: `${path}, the suite ${name}`,
    expected: `that of run ${run.row.id}, ${run.row.suite}`,
  });
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
function refuseGating(newest: RunSummary): void {
  if (hasFigures(newest)) return;
  throw new InputError({
    source: '--fail-on',
    found: `a newest run, ${newest.id}, without figures: ${stateText(newest)}`,
    expected: 'a run that has ended with something measured, or the name of one',
    hint: `Go on with it ("edgeflex run" with --resume ${newest.id}), or name the run that is to be judged.`,
  });
}
