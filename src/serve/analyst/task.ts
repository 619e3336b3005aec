import type { InputFault } from '../../base/errors.js';
import type { HistoryMetric } from '../../analysis/history/points.js';
import type { ProcureOptions } from '../../library/procure.js';

/** So many runs a history is of where nobody says otherwise, the newest. */
export const USUAL_RUNS = 200;

/** Something that takes long to compute, for somebody who waits. Runs by their ids in the store. */
export type AnalystQuestion =
  | { readonly kind: 'analysis' | 'report'; readonly run: string }
  | {
      readonly kind: 'compare';
      readonly runs: readonly string[];
      readonly reference: string;
      readonly force: boolean;
    }
  | {
      readonly kind: 'history';
      readonly suite: string;
      readonly suites: readonly string[];
      readonly model: string | undefined;
      readonly device: string | undefined;
      readonly variant: string | undefined;
      readonly metric: HistoryMetric | undefined;
      readonly branch: string | undefined;
      readonly limit: number;
    }
  | { readonly kind: 'procure'; readonly options: ProcureOptions };

/** Something that is computed before anybody asks for it. */
export type AnalystPreparation =
  /** What histories and procurements ask of runs. The answer: `PreparedRuns`. */
  | { readonly kind: 'prepare runs'; readonly runs: readonly string[] }
  /** Where series of a suite changed. */
  | { readonly kind: 'prepare changes'; readonly suite: string };

/** What is left of a preparation whose time was up. */
export interface PreparedRuns {
  /** Runs of which something is still to be computed. */
  readonly left: readonly string[];
}

/** What a thread can be asked for. */
export type AnalystTask = AnalystQuestion | AnalystPreparation;

/** What is asked of a thread. */
export interface AnalystRequest {
  /** Where results lie. */
  readonly place: string;
  readonly task: AnalystTask;
  /** What the analysis or report of a run that has ended follows from, so that it is kept in the store; undefined where it is not. */
  readonly keep: string | undefined;
}

/** What a thread gives: the answer as JSON, or why there is none. Faults are values: what is thrown in a thread arrives without its class. */
export type AnalystAnswer =
  | { readonly kind: 'answer'; readonly json: string }
  | { readonly kind: 'refused'; readonly fault: InputFault };
