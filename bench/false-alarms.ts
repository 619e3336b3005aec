import { SIGNIFICANCE } from '../src/analysis/compare/judge.js';
import { inWords } from '../src/text/compare/words.js';
import { binomialCumulative } from '../src/stats/binomial.js';
import { builtInSubject, judgedInTurn, sessionHere } from './in-turn.js';

const PAIRS = 30;
const BATCH = 8;
const ROUNDS = 3;

/** How often a model is called different from itself: no more often than the level of the test allows. */
export async function falseAlarms(): Promise<void> {
  const subject = await builtInSubject();
  const sessions = [await sessionHere(subject), await sessionHere(subject)] as const;
  let alarms = 0;
  try {
    for (let pair = 1; pair <= PAIRS; pair++) {
      const judgement = await judgedInTurn(subject, sessions, {
        ...{ kind: 'performance', batch: BATCH, tier: 'rapid', rounds: ROUNDS },
      });
      if (judgement.verdict !== 'not distinguishable') alarms += 1;
      console.log(`  ${String(pair).padStart(2)}  ${inWords(judgement)}`);
    }
    console.log(
      `  ${alarms} of ${PAIRS} pairs of fp32 with itself were called different; up to ${most()} are what chance does`,
    );
  } finally {
    for (const session of sessions) await session.close();
  }
}

/** The largest number of false alarms that is no surprise: more come in at most one of twenty such benches. */
function most(): number {
  let count = 0;
  while (1 - binomialCumulative(PAIRS, count, SIGNIFICANCE) > 0.05) count += 1;
  return count;
}
