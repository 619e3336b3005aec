import { join } from 'node:path';
import { packageRoot } from '../src/base/paths.js';
import { inWords } from '../src/text/compare/words.js';
import { builtInSubject, judgedInTurn, sessionHere } from './in-turn.js';
import { SLOW_DOWN } from './slow-share.js';

const BATCH = 8;
// Processes are what varies: the same time in many of them tells more than in few.
const ROUNDS = 20;

/** Whether a model that is slowed down a little on purpose is found to be slower, at the tier for reviewers. */
export async function slowDown(): Promise<void> {
  const subject = await builtInSubject();
  const plain = await sessionHere(subject);
  const slowed = await sessionHere(subject, join(packageRoot(), 'dist', 'bench', 'slowed-agent.js'));
  try {
    const judgement = await judgedInTurn(subject, [plain, slowed], {
      ...{ kind: 'performance', batch: BATCH, tier: 'normal', rounds: ROUNDS },
    });
    const { value, low, high } = judgement.change;
    console.log(`  slowed by ${SLOW_DOWN * 100} %, batch ${BATCH}, ${ROUNDS} rounds in turn`);
    console.log(
      `  ratio ${(1 + value).toFixed(4)} (${(1 + low).toFixed(4)}–${(1 + high).toFixed(4)}), p ${judgement.p!.toPrecision(2)}`,
    );
    console.log(`  ${judgement.verdict}: ${inWords(judgement)}`);
  } finally {
    await plain.close();
    await slowed.close();
  }
}
