import type { FitMemory, SeriesFit } from '../analysis/history/changes.js';
import { hashJson } from '../base/hash.js';
import { readNewestKept, type KeptFacts } from '../store/kept.js';
import type { Db } from '../store/open.js';
import { packed, unpacked } from './packed.js';

/** So many fits of a suite are kept at most, those that were used last: one takes a hundred bytes. */
const MOST_FITS = 10_000;

/** Where the fits of a suite's series are kept. */
export interface FitShelf {
  /** Names the code that finds them: what other code has found is found again. */
  readonly code: string;
  /**
   * Keeps the fits at a run, in place of those that are kept at others; where that is not possible they are found again.
   *
   * @param facts - to be kept
   * @param runs - the others
   */
  readonly keep: (facts: KeptFacts, runs: readonly string[]) => Promise<void>;
}

/** Where the levels of series changed, by the digest of their values: found once, as finding it takes the square of a series' length. */
export class RememberedFits {
  /** @param shelf - left out, nothing is remembered */
  constructor(private readonly shelf?: FitShelf) {}

  /**
   * Does something that needs fits, with those that were found before, and keeps those that it has found.
   *
   * @param db - the store
   * @param runs - ids of the runs that the series are of, the newest first
   * @param work - what to do
   */
  async during<Value>(db: Db, runs: readonly string[], work: (fits: FitMemory) => Value): Promise<Value> {
    const [newest] = runs;
    if (this.shelf === undefined || newest === undefined) return work((_, find) => find());
    const asked = { kind: 'changes', question: '', state: hashJson([this.shelf.code]) } as const;
    const body = await readNewestKept(db, asked, runs);
    const known =
      body === undefined ? new Map<string, SeriesFit>() : (unpacked(body) as Map<string, SeriesFit>);
    const used = new Map<string, SeriesFit>();
    const value = work((digest, find) => {
      const fit = known.get(digest) ?? find();
      used.set(digest, fit);
      return fit;
    });
    if ([...used.keys()].some((digest) => !known.has(digest))) {
      const unused = [...known].filter(([digest]) => !used.has(digest));
      const kept = new Map([...used, ...unused].slice(0, MOST_FITS));
      await this.shelf.keep({ ...asked, run: newest, body: packed(kept) }, runs.slice(1));
    }
    return value;
  }
}
