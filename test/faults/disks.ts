import { cpSync, mkdtempSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Phase, Fixture } from './phases.js';
import { call, type Call } from './support/command.js';
import { look } from './support/outside.js';
import { SmallDisk } from './support/small-disk.js';

/** What came of a disk that filled up in a phase. */
export interface DiskReport {
  readonly phase: string;
  /** Sizes at which the command ended for want of room, in bytes. */
  readonly full: number[];
  /** The size with which it came to its end. */
  enough: number | undefined;
  readonly faults: string[];
  /** Sizes at which runs were deleted, and there was no room for what comes after. */
  readonly deleted: number[];
  /** Whether the database became smaller. */
  shrunk: boolean;
}

/** A disk is never made larger than this, in bytes. */
const LARGEST = 2 ** 26;

/**
 * Lets a phase run out of room: on a disk that holds what the phase begins with and hardly more, then on a larger one, until it comes
 * to its end. Each time it must say so in one message with exit code 3, and keep what was there.
 *
 * @param fixture - what the phases begin with
 * @param phase - the phase; its call or what goes on with it is given again each time
 */
export async function fillDisk(fixture: Fixture, phase: Phase): Promise<DiskReport> {
  const report: DiskReport = {
    phase: phase.name,
    full: [],
    enough: undefined,
    faults: [],
    deleted: [],
    shrunk: false,
  };
  const disk = await SmallDisk.ofSize(LARGEST);
  try {
    const folder = join(disk.outside, 'work');
    // The sqlite3 command finds no way through the other namespace.
    const made = mkdtempSync(join(fixture.folder, 'disk-'));
    phase.prepare(fixture, made);
    cpSync(made, folder, { recursive: true });
    const database = join(folder, 'results', 'edgeflex.db');
    let size = usedBy(disk) + 4096;
    const first = bytesOf(database);
    let before = look(database);
    let what = within(disk, phase.call(fixture, folder));
    while (size < LARGEST) {
      disk.resize(size);
      const { code, err } = await call(what);
      const now = look(database);
      const note = (fault: string): void => void report.faults.push(`${phase.name}, ${size} bytes: ${fault}`);
      const gone = [...before.runs].filter((run) => !now.runs.has(run));
      // They are deleted in one transaction; the room that they took is given back after it.
      const mayGo = [...before.runs].filter((run) => phase.goes?.(run) === true);
      now.faults.forEach(note);
      now.doubled.forEach((round) => {
        note(`round ${round} is there twice`);
      });
      for (const run of gone.filter((each) => !mayGo.includes(each))) note(`run ${run} is gone`);
      if (gone.length > 0 && gone.length < mayGo.length) note('some of the runs are gone, others not');
      for (const round of before.rounds)
        if (!now.rounds.has(round) && !gone.some((run) => round.startsWith(`${run} `)))
          note(`round ${round} is gone`);
      const old = [before.schema, ...(phase.changesSchema === true ? [fixture.schema] : [])];
      if (!old.includes(now.schema)) note('a schema that is neither the old nor the new one');
      phase.outputFaults?.(fixture, folder).forEach(note);
      if (code === 0) {
        report.enough = size;
        report.shrunk = bytesOf(database) < first;
        break;
      }
      report.full.push(size);
      if (gone.length > 0) {
        report.deleted.push(size);
        if (!err.includes('the runs were deleted')) note(`runs are gone, and it says: ${err}`);
      }
      const errors = err.split('\n').filter((line) => line.startsWith('error: '));
      const full = errors.length === 1 && /disk is full/.test(errors[0] ?? '');
      // A run whose rounds fail says so of each.
      if (code !== 3 || !full) note(`exit code ${code}: ${err}`);
      before = now;
      what = within(disk, phase.next(fixture, folder));
      size += phase.growth;
    }
    if (report.enough === undefined) report.faults.push(`${phase.name}: no size was enough`);
    return report;
  } finally {
    await disk.close();
  }
}

/** Bytes of a file; none where there is none. */
function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Bytes that lie on a disk. */
function usedBy({ outside }: SmallDisk): number {
  const { blocks, bfree, bsize } = statfsSync(outside);
  return (blocks - bfree) * bsize;
}

/** A call as it is given where the disk is seen. */
function within(disk: SmallDisk, { args, env }: Call): Call {
  const seen = (word: string): string => word.replace(disk.outside, disk.inside);
  const environment = Object.entries(env).map(([name, value]) => [name, seen(value ?? '')]);
  return { args: args.map(seen), env: Object.fromEntries(environment) as NodeJS.ProcessEnv, by: disk.by };
}
