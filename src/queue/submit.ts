import { randomUUID } from 'node:crypto';
import { InputError } from '../base/errors.js';
import { installedVersion } from '../base/paths.js';
import type { PluginRecord } from '../base/plugin.js';
import { readDeviceProfile } from '../device/profile.js';
import { newRunId, type SharedRun } from '../run/record.js';
import { readRepository } from '../run/repository.js';
import { planOf } from '../suite/plan.js';
import type { Suite } from '../suite/read.js';
import type { NewJob, Submission } from './jobs.js';
import { portableSuite } from './portable.js';
import type { Requirement } from './requirements.js';

/** What a submission is asked for beside its suite. */
export interface SubmissionWishes {
  readonly person: string;
  /** How the user called us. */
  readonly command: string;
  /** Higher ones come first. */
  readonly priority: number;
  /** Names of devices, in place of the suite's. */
  readonly devices: readonly string[];
  /** What a device must be: one for each, beside those that are named. */
  readonly needs: readonly (readonly Requirement[])[];
  /** Whether an identical device may go on with what another one has begun. */
  readonly identical: boolean;
  /** Whether the variants are compressed by a job of its own, before anything is measured. */
  readonly compress: boolean;
  readonly plugins: readonly PluginRecord[];
}

/** So many runs of one submission are nobody's intention. */
const MOST_PLACES = 10_000;

/**
 * Plans the run of a suite and its jobs: one for each place, because the rounds of a device are measured in turn with each other, and
 * with nothing else.
 *
 * @param suite - read
 * @param wishes - who, where and how
 * @throws InputError when the suite cannot be planned, or a place is named twice
 */
export async function planSubmission(suite: Suite, wishes: SubmissionWishes): Promise<Submission> {
  return submissionFrom(await planTemplate(suite, wishes));
}

/** A submission before it has a run: what a schedule submits again and again. */
export interface SubmissionTemplate extends Pick<
  Submission,
  'suite' | 'person' | 'command' | 'plan' | 'plugins' | 'priority'
> {
  readonly jobs: readonly Omit<NewJob, 'id'>[];
}

/**
 * Plans a suite and its jobs, for whatever run.
 *
 * @param suite - read
 * @param wishes - who, where and how
 * @throws InputError when the suite cannot be planned, or a place is named twice
 */
export async function planTemplate(suite: Suite, wishes: SubmissionWishes): Promise<SubmissionTemplate> {
  planOf({ ...suite, devices: suite.devices.slice(0, 1) });
  const places = await placesOf(suite, wishes);
  const jobs = places.map((place, index): Omit<NewJob, 'id'> => ({
    ...{ queue: 'measure', place: index + 1, identical: wishes.identical, ...place },
  }));
  const compression: Omit<NewJob, 'id'> = {
    ...{ queue: 'compress', place: 0, identical: true, device: null, needs: [] },
  };
  const { person, command, priority, plugins } = wishes;
  return {
    ...{ suite: suite.name, person, command, priority, plugins, plan: portableSuite(suite) },
    jobs: wishes.compress ? [compression, ...jobs] : jobs,
  };
}

/**
 * A submission with a run of its own, of this version, and of the commit that is checked out in the working folder.
 *
 * @param template - what is to be measured, and where
 */
export async function submissionFrom({ jobs, ...template }: SubmissionTemplate): Promise<Submission> {
  const now = new Date();
  const run: SharedRun = {
    ...{ id: newRunId(now, 4), uid: randomUUID(), startedAt: now.toISOString() },
    places: jobs.filter(({ queue }) => queue === 'measure').length,
    repository: (await readRepository(process.cwd())) ?? null,
  };
  return {
    ...{ ...template, run, version: installedVersion() },
    jobs: jobs.map((job) => ({ id: randomUUID(), ...job })),
  };
}

async function placesOf(
  { devices, path }: Suite,
  wishes: SubmissionWishes,
): Promise<readonly Pick<NewJob, 'device' | 'needs'>[]> {
  const isAsked = wishes.devices.length > 0 || wishes.needs.length > 0;
  const names = isAsked
    ? wishes.devices
    : await Promise.all(devices.map(async (device) => (await readDeviceProfile(device)).name));
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name))
      throw new InputError({
        source: isAsked ? '--device' : path,
        found: `a second device called ${name}`,
        expected: 'different devices',
      });
    seen.add(name);
  }
  const places = [
    ...names.map((device) => ({ device, needs: [] })),
    ...wishes.needs.map((needs) => ({ device: null, needs })),
  ];
  if (places.length <= MOST_PLACES) return places;
  throw new InputError({
    source: '--device',
    found: `${places.length} places`,
    expected: `at most ${MOST_PLACES} in one submission`,
  });
}
