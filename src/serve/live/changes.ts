import { findJobs, listFleet, listJobs } from '../../queue/list.js';
import { changingRuns } from '../../store/browse/changes.js';
import { listedCells } from '../../store/browse/details.js';
import { listedRuns } from '../../store/browse/runs.js';
import { cellOf } from '../answers/runs.js';
import { jobsOf } from '../answers/queue.js';
import type { EventData, EventName } from '../api/events.js';
import type { Serving } from '../serving.js';

/** Something that has changed. */
export type Change = {
  [Name in EventName]: { readonly name: Name; readonly data: EventData<Name> };
}[EventName];

/** Runs are looked at for so long after they have ended, in milliseconds: clocks of other machines may differ. */
const AFTER = 60_000;

/** Open jobs that are watched at most. */
const MOST_JOBS = 2000;

/** Compares what the store holds with what it held at the last look. */
export class ChangeFinder {
  private readonly runs = new Map<string, string>();
  private readonly cells = new Map<string, string>();
  private jobs = new Map<string, { readonly run: string; readonly text: string }>();
  private devices = new Map<string, { readonly text: string; readonly gone: EventData<'device gone'> }>();

  constructor(private readonly serving: Serving) {}

  /** What has changed since the last look; at the first, everything that may change. */
  async look(): Promise<Change[]> {
    return [...(await this.ofRuns()), ...(await this.ofQueue())];
  }

  private async ofRuns(): Promise<Change[]> {
    const { db } = this.serving;
    const names = await changingRuns(db, new Date(Date.now() - AFTER).toISOString());
    const runs = await listedRuns(db, names);
    const cells = await listedCells(db, names);
    const changes: Change[] = [];
    for (const run of runs) {
      if (isNew(this.runs, run.id, run)) changes.push({ name: 'run', data: run });
      for (const each of cells.get(run.name) ?? []) {
        const cell = cellOf(each);
        if (isNew(this.cells, `${run.id} ${cell.id}`, cell))
          changes.push({ name: 'cell', data: { run: run.id, cell } });
      }
    }
    // What is no longer looked at need not be remembered.
    const ids = new Set(runs.map(({ id }) => id));
    for (const id of this.runs.keys()) if (!ids.has(id)) this.runs.delete(id);
    for (const key of this.cells.keys()) if (!ids.has(key.split(' ', 1)[0] ?? '')) this.cells.delete(key);
    return changes;
  }

  private async ofQueue(): Promise<Change[]> {
    const { queue } = this.serving;
    if (queue === undefined) return [];
    const changes: Change[] = [];
    const open = jobsOf(await listJobs(queue, false, MOST_JOBS));
    const jobs = new Map<string, { readonly run: string; readonly text: string }>();
    for (const job of open) {
      const text = JSON.stringify(job);
      jobs.set(job.id, { run: job.run, text });
      if (this.jobs.get(job.id)?.text !== text) changes.push({ name: 'job', data: job });
    }
    const ended = [...this.jobs].filter(([id]) => !jobs.has(id));
    for (const run of new Set(ended.map(([, each]) => each.run)))
      for (const job of jobsOf(await findJobs(queue, `${run}/`)))
        if (ended.some(([id]) => id === job.id)) changes.push({ name: 'job', data: job });
    this.jobs = jobs;
    const devices: typeof this.devices = new Map();
    for (const device of await listFleet(queue)) {
      const { name, worker } = device;
      const key = `${worker} ${name}`;
      // A sign of life alone is no change.
      const text = JSON.stringify({ ...device, seenAt: undefined });
      devices.set(key, { text, gone: { name, worker } });
      if (this.devices.get(key)?.text !== text) changes.push({ name: 'device', data: device });
    }
    for (const [key, { gone }] of this.devices)
      if (!devices.has(key)) changes.push({ name: 'device gone', data: gone });
    this.devices = devices;
    return changes;
  }
}

function isNew(known: Map<string, string>, key: string, value: object): boolean {
  const text = JSON.stringify(value);
  if (known.get(key) === text) return false;
  known.set(key, text);
  return true;
}
