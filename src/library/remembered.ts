import { hashJson } from '../base/hash.js';
import { readKept, runMarks, whichKept, type KeptFacts } from '../store/kept.js';
import type { Db } from '../store/open.js';
import { packed, unpacked } from './packed.js';

/** Where what was computed is kept for whoever asks after this process has ended. */
export interface Shelf {
  readonly kind: 'points' | 'observed';
  /** Names the code that computes: what other code has computed is computed again. */
  readonly code: string;
  /** Keeps facts; where that is not possible they are computed again. */
  readonly keep: (facts: readonly KeptFacts[]) => Promise<void>;
}

/** What was computed of runs that do not change any more: the last used is kept in memory, and all of it on a shelf where there is one. */
export class Remembered<Facts> {
  private readonly known = new Map<string, Facts>();

  /**
   * @param most - so many facts are kept in memory at most; 0: nothing is remembered
   * @param shelf - where they are kept beside
   */
  constructor(
    private readonly most: number,
    private readonly shelf?: Shelf,
  ) {}

  /**
   * What was computed before of runs, or is now: one after the other, since runs are large.
   *
   * @param db - the store
   * @param runs - their ids
   * @param question - what else the answer follows from, as JSON can express it
   * @param compute - finds what a run says
   * @returns in the order of the runs
   */
  async ofAll(
    db: Db,
    runs: readonly string[],
    question: unknown,
    compute: (run: string) => Promise<Facts>,
  ): Promise<Facts[]> {
    const marks = this.most > 0 ? await runMarks(db, runs) : new Map<string, string>();
    const keyOf = (run: string): string => JSON.stringify([run, marks.get(run), question]);
    const asked = hashJson(question ?? null);
    const states = this.statesOf(marks);
    const wanted = new Map([...states].filter(([run]) => !this.known.has(keyOf(run))));
    const shelved = this.shelf && (await readKept(db, { kind: this.shelf.kind, question: asked }, wanted));
    const made: KeptFacts[] = [];
    const all: Facts[] = [];
    for (const run of runs) {
      const body = shelved?.get(run);
      const facts =
        this.known.get(keyOf(run)) ?? (body === undefined ? await compute(run) : (unpacked(body) as Facts));
      all.push(facts);
      const state = states.get(run);
      if (state === undefined) continue;
      if (this.shelf !== undefined && body === undefined && !this.known.has(keyOf(run)))
        made.push({ ...{ run, question: asked, state }, kind: this.shelf.kind, body: packed(facts) });
      this.remember(keyOf(run), facts);
    }
    await this.shelf?.keep(made);
    return all;
  }

  /**
   * Runs of which nothing is kept on the shelf: those that have ended, without reading what is kept of others.
   *
   * @param db - the store
   * @param runs - their ids
   * @param question - as `ofAll` takes it
   * @returns in the order of the runs
   */
  async missing(db: Db, runs: readonly string[], question: unknown): Promise<string[]> {
    if (this.shelf === undefined) return [];
    const states = this.statesOf(await runMarks(db, runs));
    const asked = { kind: this.shelf.kind, question: hashJson(question ?? null) };
    const kept = await whichKept(db, asked, states);
    return runs.filter((run) => states.has(run) && !kept.has(run));
  }

  private statesOf(marks: ReadonlyMap<string, string>): Map<string, string> {
    return new Map([...marks].map(([run, mark]) => [run, hashJson([this.shelf?.code ?? null, mark])]));
  }

  private remember(key: string, facts: Facts): void {
    // What was used last is the last to go.
    this.known.delete(key);
    this.known.set(key, facts);
    const [oldest] = this.known.keys();
    if (this.known.size > this.most && oldest !== undefined) this.known.delete(oldest);
  }
}
