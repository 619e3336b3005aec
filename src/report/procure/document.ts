import type { Candidate } from '../../analysis/procure/candidate.js';
import { decisionOf, type Decision } from '../../analysis/procure/decision.js';
import type { Procurement, Ranked } from '../../analysis/procure/procurement.js';

/** Version of the document: it grows when a field changes its meaning or goes, not when one is added. */
const SCHEMA_VERSION = 1;

/** A candidate's place in the list of candidates. */
type Index = number;

/** What a procurement comes to; candidates by their place in the list. */
export type DecisionDocument =
  | { readonly kind: 'buy'; readonly best: readonly Index[]; readonly runnersUp: readonly Index[] }
  | { readonly kind: 'undecided'; readonly qualifying: readonly Index[] }
  | {
      readonly kind: 'nothing qualifies';
      readonly nearest: { readonly candidate: Index; readonly lacks: readonly string[] } | null;
      readonly emulatedWould: boolean;
    };

/**
 * A procurement for programs: what was asked, the decision, every candidate. Latencies in milliseconds, memory in bytes, energy in joule,
 * power in watts, accuracy as a share, money in `currency`; intervals are 95 %. What is not known is left out.
 */
export interface ProcurementDocument extends Omit<Procurement, 'candidates'> {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly decision: DecisionDocument;
  readonly candidates: readonly Ranked[];
}

/**
 * A procurement for programs.
 *
 * @param procurement - what was found
 */
export function procurementDocument(procurement: Procurement): ProcurementDocument {
  return {
    schemaVersion: SCHEMA_VERSION,
    ...procurement,
    decision: decisionDocument(decisionOf(procurement), procurement.candidates),
  };
}

function decisionDocument(decision: Decision, candidates: readonly Candidate[]): DecisionDocument {
  const places = (some: readonly Candidate[]): Index[] => some.map((each) => candidates.indexOf(each));
  switch (decision.kind) {
    case 'buy':
      return { kind: 'buy', best: places(decision.best), runnersUp: places(decision.runnersUp) };
    case 'undecided':
      return { kind: 'undecided', qualifying: places(decision.qualifying) };
    case 'nothing qualifies': {
      const { nearest, emulatedWould } = decision;
      return {
        kind: 'nothing qualifies',
        nearest: nearest
          ? {
              candidate: candidates.indexOf(nearest.candidate),
              lacks: nearest.lacks.map(({ limited }) => limited),
            }
          : null,
        emulatedWould,
      };
    }
  }
}
