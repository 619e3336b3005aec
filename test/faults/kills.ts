import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../src/base/random.js';
import type { Phase, Fixture } from './phases.js';
import { call, killed, timed, type Timing } from './support/command.js';
import { committedRounds, look, type Seen } from './support/outside.js';

/** What came of killing a phase. */
export interface KillReport {
  /** Times that the process was killed. */
  kills: number;
  /** Times that it ended before. */
  ended: number;
  /** What was found wrong from outside, or what the next command said. */
  readonly faults: string[];
}

/** Kills a phase at random moments and looks at what is left. */
export class Killer {
  private timing: Timing | undefined;
  readonly report: KillReport = { kills: 0, ended: 0, faults: [] };

  constructor(
    private readonly fixture: Fixture,
    readonly phase: Phase,
    private readonly random: Random,
  ) {}

  /** Begins the phase anew, kills it as often as it says, and lets it come to its end. */
  async once(): Promise<void> {
    const timing = (this.timing ??= await this.time());
    const { phase, fixture } = this;
    const folder = this.newFolder();
    const database = join(folder, 'results', 'edgeflex.db');
    try {
      let before = look(database);
      for (let kill = 0; kill < phase.kills; kill++) {
        // One in eight comes before anything is changed.
        const moment = this.random.uniform() < 1 / 8 ? -this.random.uniform() : this.random.uniform();
        let committed: ReadonlySet<string> = before.rounds;
        const wasKilled = await killed(
          phase.call(fixture, folder),
          phase.watched(folder),
          timing,
          moment,
          () => {
            // What another program sees now must be there afterwards; changes of the schema bear no reader for long.
            if (phase.changesSchema !== true)
              committed = new Set([...committed, ...committedRounds(database)]);
          },
        );
        if (wasKilled) this.report.kills++;
        else this.report.ended++;
        const now = look(database);
        this.note(moment, folder, [
          ...this.faultsOf(before, committed, now),
          ...(phase.outputFaults?.(fixture, folder) ?? []),
        ]);
        before = now;
      }
      await this.finish(folder, database, before);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  private async time(): Promise<Timing> {
    const folder = this.newFolder();
    try {
      return await timed(this.phase.call(this.fixture, folder), this.phase.watched(folder), this.phase.until);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  private newFolder(): string {
    mkdirSync(join(this.fixture.folder, 'tries'), { recursive: true });
    const folder = mkdtempSync(join(this.fixture.folder, 'tries', 'try-'));
    this.phase.prepare(this.fixture, folder);
    return folder;
  }

  private faultsOf(before: Seen, committed: ReadonlySet<string>, now: Seen): string[] {
    const { goes = () => false, changesSchema } = this.phase;
    const gone = [...before.runs].filter((run) => !now.runs.has(run));
    const mayGo = [...before.runs].filter(goes);
    const lost = [...committed].filter((round) => !now.rounds.has(round));
    const allowed = [before.schema, ...(changesSchema === true ? [this.fixture.schema] : [])];
    return [
      ...now.faults,
      ...now.doubled.map((round) => `round ${round} is there twice`),
      ...(allowed.includes(now.schema) ? [] : ['a schema that is neither the old nor the new one']),
      ...(gone.length === 0 || gone.length === mayGo.length ? [] : ['some of the runs are gone, others not']),
      ...gone.filter((run) => !goes(run)).map((run) => `run ${run} is gone`),
      ...lost
        .filter((round) => !gone.some((run) => round.startsWith(`${run} `)))
        .map((round) => `round ${round} is gone`),
    ];
  }

  /** The next command succeeds, and nothing of what was there is lost or doubled by it. */
  private async finish(folder: string, database: string, before: Seen): Promise<void> {
    const next = this.phase.next(this.fixture, folder);
    const { code, err } = await call(next);
    const now = look(database);
    const faults = this.faultsOf(before, before.rounds, now);
    const measures = next.args[0] === 'run';
    this.note(undefined, folder, [
      ...(code === 0 ? [] : [`then ${next.args.join(' ')} ended with ${code}: ${err}`]),
      // A new database has got its schema by now.
      ...faults.filter((fault) => !(before.schema === '' && fault.startsWith('a schema'))),
      ...(measures && now.rounds.size !== this.fixture.rounds
        ? [`${now.rounds.size} rounds at the end, not ${this.fixture.rounds}`]
        : []),
      ...(this.phase.outputFaults?.(this.fixture, folder) ?? []),
    ]);
  }

  private note(moment: number | undefined, folder: string, faults: readonly string[]): void {
    const when = moment === undefined ? 'at the end' : `killed at ${moment.toFixed(4)}`;
    this.report.faults.push(
      ...faults.map((fault) => `${this.phase.name}, ${when}: ${fault.replaceAll(folder, '…')}`),
    );
  }
}
