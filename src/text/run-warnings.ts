import type { Substitution } from '../base/substitution.js';
import { reasonText } from './failures.js';
import { substitutionsText } from './substitutions.js';

/** Something to know about a run before its figures are believed. */
export type RunWarningFact =
  | { readonly kind: 'synthetic'; readonly model: string }
  | { readonly kind: 'emulated'; readonly device: string }
  | { readonly kind: 'failed' | 'unsupported'; readonly cell: string; readonly reason: string | null }
  | { readonly kind: 'other form'; readonly cell: string; readonly substitutions: readonly Substitution[] }
  | { readonly kind: 'unsteady'; readonly cell: string; readonly rounds: number; readonly of: number };

/** A warning in words. */
export interface RunWarning {
  readonly kind: RunWarningFact['kind'];
  /** Null where it is about the run. */
  readonly cell: string | null;
  readonly text: string;
}

/**
 * A warning in words.
 *
 * @param fact - what there is to know
 */
export function runWarning(fact: RunWarningFact): RunWarning {
  return { kind: fact.kind, cell: 'cell' in fact ? fact.cell : null, text: textOf(fact) };
}

function textOf(fact: RunWarningFact): string {
  switch (fact.kind) {
    case 'synthetic':
      return `The weights of ${fact.model} are random: it has speed and memory, but no accuracy.`;
    case 'emulated':
      return `${fact.device} is emulated: its timings say nothing about the hardware.`;
    case 'failed':
      return `Failed: ${reasonText(fact.reason)}`;
    case 'unsupported':
      return `Not supported here, because ${reasonText(fact.reason)}`;
    case 'other form':
      return `Runs in another form: ${substitutionsText(fact.substitutions)}`;
    case 'unsteady':
      return `${fact.rounds} of ${fact.of} rounds never reached a steady state.`;
  }
}
