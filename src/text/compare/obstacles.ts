import type { CompareNote } from '../../analysis/compare/compare.js';
import type { Difference } from '../../analysis/compare/differences.js';
import type { Obstacle } from '../../analysis/compare/obstacle.js';
import { disturbanceText } from '../disturbance.js';
import { failureText } from '../failures.js';
import * as format from '../format.js';
import { meansText } from '../memory.js';
import { missingFloorText } from '../missing.js';

/** Why something could not be compared: a clause that follows a colon, or a sentence without its full stop. */
export function obstacleText(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'not-in-reference':
      return 'not in the reference';
    case 'not-in-new-run':
      return 'not in the new run';
    case 'pending':
      return obstacle.run === 'new' ? 'not measured yet' : 'not measured in the reference';
    case 'failed':
    case 'unsupported': {
      const where = obstacle.run === 'new' ? '' : ' in the reference';
      const what = obstacle.kind === 'failed' ? 'failed' : 'not supported';
      return `${what}${where}: ${format.oneLine(failureText(obstacle.failure))}`;
    }
    case 'no-memory':
      return 'the device does not report its memory';
    case 'peak-below-base':
      return "the peak of a round does not exceed the runtime's base";
    case 'other-memory-means': {
      const [before, after] = [obstacle.reference, obstacle.new].map((means) =>
        means.map(meansText).join(' and '),
      );
      return `peaks measured in different ways: ${before} in the reference, ${after} in the new run`;
    }
    case 'no-accuracy':
      return 'these weights have no accuracy on these images';
    case 'no-predictions':
      return 'no predictions are stored';
    case 'other-images':
      return 'they were scored on different images';
    case 'other-scoring':
      return 'they were scored in different ways: with a head or by nearest neighbours, or with other neighbours';
    case 'no-cosines':
      return 'one of them has no cosines to its own fp32';
    case 'disturbed': {
      const where = obstacle.run === 'new' ? 'in the new run' : 'in the reference';
      return `not decided: ${where} ${disturbanceText(obstacle.by)}`;
    }
    case 'bound-not-met':
    case 'no-rate-found': {
      const where = obstacle.run === 'new' ? '' : ' in the reference';
      const why =
        obstacle.kind === 'bound-not-met'
          ? 'the model alone takes longer'
          : 'the time ran out before one was found';
      const bound = `p99 within ${format.milliseconds(obstacle.bound)} ms`;
      return `no rate kept ${bound}${where} in ${obstacle.missed} of ${obstacle.rounds} rounds: ${why}`;
    }
    case 'one-round':
      return 'a single round: change and chance cannot be separated';
    case 'no-common-rounds':
      return 'no rounds in common: change and chance cannot be separated';
  }
}

/** What a reader of a comparison should know, as a sentence. */
export function compareNoteText(note: CompareNote): string {
  switch (note.kind) {
    case 'no-noise-floor':
      return missingFloorText(note);
    case 'run-unfinished':
      return `Run ${note.run} is not finished.`;
    case 'also-different':
      return `Also different: ${differenceText(note.difference)}.`;
  }
}

/** A difference in words: `threads of local-cpu: 2 in the reference, 1 in the new run`. */
export function differenceText({ what, reference, value }: Difference): string {
  return `${what}: ${reference} in the reference, ${value} in the new run`;
}
