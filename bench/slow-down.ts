import { join } from 'node:path';
import { packageRoot } from '../src/base/paths.js';
import { inWords } from '../src/text/compare/words.js';
import { builtInSubject, judgedInTurn, sessionHere } from './in-turn.js';
import { SLOW_DOWN } from './slow-share.js';

const BATCH = 8;
const ROUNDS = Number(process.env['ROUNDS'] ?? 10);
const TRIES = Number(process.env['TRIES'] ?? 3);

/** Whether a model that is slowed down a little on purpose is found to be slower, each time it is tried. */
export async function slowDown(): Promise<void> {
  const subject = await builtInSubject();
  const plain = await sessionHere(subject);
  const slowed = await sessionHere(subject, join(packageRoot(), 'dist', 'bench', 'slowed-agent.js'));
  let found = 0;
  try {
    console.log(`  slowed by ${SLOW_DOWN * 100} %, batch ${BATCH}, ${ROUNDS} rounds in turn, one thread`);
    for (let tried = 0; tried < TRIES; tried++) {
      const judgement = await judgedInTurn(subject, [plain, slowed], {
        ...{ kind: 'performance', batch: BATCH, tier: 'quick', rounds: ROUNDS },
      });
      const { value, low, high } = judgement.change;
      if (judgement.verdict === 'slower') found++;
      console.log(
        `  ratio ${(1 + value).toFixed(4)} (${(1 + low).toFixed(4)}–${(1 + high).toFixed(4)}), ` +
          `p ${judgement.p?.toPrecision(2) ?? '–'}: ${judgement.verdict}, ${inWords(judgement)}`,
      );
    }
    console.log(`  found ${found} of ${TRIES}`);
  } finally {
    await plain.close();
    await slowed.close();
  }
}
