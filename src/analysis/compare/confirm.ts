import type { GateResult } from './gates.js';

/**
 * Holds the gates of a comparison against those of a second one, with a run that was made to confirm it: one that a figure broke stays
 * broken unless the second run has that figure and it breaks nothing there. A cell that failed is no figure, and stays.
 *
 * @param first - of the comparison in question
 * @param second - of the same reference and gates, with the other run
 * @returns the first, in its order
 */
export function confirmed(first: readonly GateResult[], second: readonly GateResult[]): GateResult[] {
  return first.map((result): GateResult => {
    const { outcome, because } = result;
    if (outcome !== 'broken' || because.kind !== 'judged') return result;
    const again = second.find((other) => isOfSame(result, other));
    const refuted =
      again !== undefined &&
      again.outcome !== 'broken' &&
      (again.because.kind === 'judged' || again.because.kind === 'not-excluded');
    if (!refuted) return result;
    const { judgement } = because;
    return {
      ...result,
      outcome: 'cannot tell',
      because: { kind: 'not-confirmed', judgement, again: again.because },
    };
  });
}

/** Whether some of what broke gates is a figure, which measuring again may confirm. */
export function needConfirming(results: readonly GateResult[]): boolean {
  return results.some(({ outcome, because }) => outcome === 'broken' && because.kind === 'judged');
}

function isOfSame(one: GateResult, other: GateResult): boolean {
  const place = ({ gate, subject }: GateResult): string =>
    JSON.stringify([
      gate.metric,
      gate.variant,
      subject?.model,
      subject?.recipe,
      subject?.device,
      subject?.batch,
      subject?.bound,
    ]);
  return place(one) === place(other);
}
