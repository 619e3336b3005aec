import { join } from 'node:path';
import type { Piscina } from 'piscina';
import { InputError } from '../../base/errors.js';
import { packageRoot } from '../../base/paths.js';
import type {
  AnalystAnswer,
  AnalystPreparation,
  AnalystQuestion,
  AnalystRequest,
  PreparedRuns,
} from './task.js';

/** Answers that are kept take so many characters at most. */
const MOST_CHARACTERS = 64e6;

/** A further thread that nobody asks anything for so long ends, in milliseconds. What it remembers goes with it. */
const IDLE = 600_000;

/** Questions that wait at most: those who ask later are told to try again. */
const MOST_WAITING = 200;

/**
 * Computes what takes long in threads, so that the server answers meanwhile. What follows from runs that do not change is computed once;
 * of several who ask the same at once, one is computed for.
 */
export class Analyst {
  private readonly known = new Map<string, string>();
  private readonly running = new Map<string, Promise<string>>();
  private characters = 0;

  private constructor(
    private readonly pool: Piscina,
    private readonly place: string,
  ) {}

  /**
   * @param place - where results lie
   * @param threads - how many questions are answered at once
   */
  static async start(place: string, threads: number): Promise<Analyst> {
    const { Piscina } = await import('piscina');
    const pool = new Piscina({
      filename: join(packageRoot(), 'dist', 'command', 'analyst.js'),
      ...{ minThreads: 1, maxThreads: threads, idleTimeout: IDLE, maxQueue: MOST_WAITING },
    });
    return new Analyst(pool, place);
  }

  /**
   * Answers a question.
   *
   * @param task - the question
   * @param state - what else the answer follows from: another state, another answer; undefined where nobody knows, so that it is not kept
   * @param hasEnded - whether the run that it is about has ended, so that the answer is worth keeping in the store
   * @returns JSON
   * @throws InputError when it cannot be answered
   */
  async answer(task: AnalystQuestion, state: string | undefined, hasEnded = false): Promise<string> {
    const key = JSON.stringify([task, state]);
    const known = this.known.get(key);
    if (known !== undefined) {
      // What was used last is the last to go.
      this.known.delete(key);
      this.known.set(key, known);
      return known;
    }
    const running =
      this.running.get(key) ?? this.compute(task, key, state !== undefined, hasEnded ? state : undefined);
    return running;
  }

  /** Whether somebody waits for an answer. */
  get isAsked(): boolean {
    return this.running.size > 0;
  }

  /**
   * Computes something of runs before it is asked for, and keeps it in the store: as much as can be done without keeping others waiting.
   *
   * @param runs - ids in the store, of runs that have ended
   * @returns those that are left
   */
  async prepareRuns(runs: readonly string[]): Promise<readonly string[]> {
    return ((await this.prepared({ kind: 'prepare runs', runs })) as PreparedRuns).left;
  }

  /**
   * Finds where series of a suite changed before it is asked for, and keeps it in the store.
   *
   * @param suite - that has runs with figures
   */
  async prepareChanges(suite: string): Promise<void> {
    await this.prepared({ kind: 'prepare changes', suite });
  }

  /** Ends the threads, whatever they do. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async prepared(task: AnalystPreparation): Promise<unknown> {
    const request: AnalystRequest = { place: this.place, task, keep: undefined };
    const answer = (await this.pool.run(request)) as AnalystAnswer;
    if (answer.kind === 'refused') throw new InputError(answer.fault);
    return JSON.parse(answer.json);
  }

  private compute(
    task: AnalystQuestion,
    key: string,
    isKnown: boolean,
    keep: string | undefined,
  ): Promise<string> {
    const request: AnalystRequest = { place: this.place, task, keep };
    const result = (this.pool.run(request) as Promise<AnalystAnswer>)
      .then((answer) => {
        if (answer.kind === 'refused') throw new InputError(answer.fault);
        if (isKnown) this.remember(key, answer.json);
        return answer.json;
      })
      .finally(() => this.running.delete(key));
    this.running.set(key, result);
    return result;
  }

  private remember(key: string, json: string): void {
    this.known.set(key, json);
    this.characters += json.length;
    for (const [oldest, { length }] of this.known) {
      if (this.characters <= MOST_CHARACTERS || oldest === key) break;
      this.known.delete(oldest);
      this.characters -= length;
    }
  }
}
