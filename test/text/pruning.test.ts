import { expect, test } from 'vitest';
import { keptText } from '../../src/text/pruning.js';

test.each([
  [[{ kind: 'newest', keep: 2 }], ['newest 2']],
  [[{ kind: 'baseline', names: ['main', 'v1'] }], ['baseline main, v1']],
  [[{ kind: 'held', holder: { host: 'lab', pid: 7, since: '' } }], ['process 7', 'lab']],
  [
    [{ kind: 'young' }, { kind: 'resumable' }],
    ['old enough', 'resumed'],
  ],
  [[{ kind: 'calibration' }], ['calibration']],
] as const)('%j is said with its facts', (reasons, facts) => {
  for (const fact of facts) expect(keptText(reasons)).toContain(fact);
});
