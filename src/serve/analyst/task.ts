import type { InputFault } from '../../base/errors.js';
import type { HistoryMetric } from '../../analysis/history/points.js';
import type { ProcureOptions } from '../../library/procure.js';

/** Something that takes long to compute. Runs by their ids in the store. */
export type AnalystTask =
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
