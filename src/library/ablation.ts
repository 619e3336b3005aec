import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { judgedAgainst } from '../analysis/ablation/against.js';
import {
  ablationDocument,
  againstDocument,
  type AblationDocument,
  type AgainstDocument,
} from '../report/ablation/document.js';
import type { AblationReport } from '../report/ablation/exporters.js';
import { listFloors } from '../store/floors.js';
import type { NewestRun } from '../store/newest.js';
import { analyse } from './analyse.js';
import { checkedOptions } from './options.js';
import { withResults, type Results } from './results.js';

/** What is wanted of an ablation. */
export interface AblationOptions {
  /** Id of the run, or the beginning of it; left out, the newest that has ended with something measured. */
  readonly run?: string | undefined;
  /** Name of the variant that all others are held against. */
  readonly reference?: string | undefined;
}

const optionsSchema = z.strictObject({
  run: z.string().optional(),
  reference: z.string().optional(),
});

/** What the factors of a run's matrix do. */
export class RunAblation {
  /** @internal */
  constructor(
    /** @internal */
    readonly report: AblationReport,
    /** The effects, with 95 % intervals. */
    readonly document: AblationDocument,
    /** Which run was taken where none was named, and which newer ones were passed over; undefined where one was named. */
    readonly newest: NewestRun | undefined,
  ) {}

  /** The run's id. */
  get id(): string {
    return this.report.analysis.run.row.id;
  }

  /** Every variant against the reference; empty where none was named. */
  get against(): readonly AgainstDocument[] {
    return againstDocument(this.report.against);
  }
}

/**
 * The effects of the factors of a run whose suite has a `matrix:`, and of each two on each other, on latency, memory, file size and
 * accuracy; and how much of the whole difference each factor accounts for.
 *
 * @param results - open, or their folder
 * @param options - which run, and which variant others are held against
 * @throws InputError when there is no such run or variant, or the run's suite has no matrix
 *
 * @example
 * ```ts
 * const { document } = await ablation('results', { reference: 'prune+int8' });
 * for (const { metric, effects } of document.panels)
 *   for (const { term, effect, significant } of effects)
 *     if (significant) console.log(metric, term.map(({ factor }) => factor).join(' × '), effect.value);
 * ```
 */
export async function ablation(
  results: Results | string,
  options: AblationOptions = {},
): Promise<RunAblation> {
  const { run, reference } = checkedOptions('ablation', options, optionsSchema);
  return withResults(results, { readonly: true }, async (opened) => {
    const { analysis, newest } = await analyse(opened, run);
    if (analysis.ablation === undefined)
      throw new InputError({
        source: 'run',
        found: `${analysis.run.row.id} of the suite ${analysis.run.row.suite}, which has no matrix`,
        expected: 'a run of a suite that has a matrix',
        hint: '"edgeflex suites show ablation" shows such a suite.',
      });
    const against =
      reference === undefined ? [] : judgedAgainst(analysis.run, reference, await listFloors(opened.db));
    return new RunAblation({ analysis, reference, against }, ablationDocument(analysis.ablation), newest);
  });
}
