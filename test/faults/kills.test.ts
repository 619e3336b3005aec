import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { fillDisk } from './disks.js';
import { Killer } from './kills.js';
import { mountPart, sqlitePart } from '../support/parts.js';
import { openFixture, phases, type Phase, type Fixture } from './phases.js';

/** A short portion of `npm run faults`: the oldest of the old schemas, and one try of each other phase that is quick. */
const quick = phases.filter(
  ({ name }) => !['measuring', 'compress -o, made'].includes(name) && !/000[2-5]/.test(name),
);

const phase = (name: string): Phase => {
  const found = phases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no phase ${name}`);
  return found;
};

describe.skipIf(sqlitePart.missing !== undefined)('what is interrupted', () => {
  let folder: string;
  let fixture: Fixture;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgeflex-faults-'));
    fixture = await openFixture(folder);
  }, 300_000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(quick)(
    'loses nothing when it is killed: $name',
    async (each) => {
      const killer = new Killer(fixture, { ...each, kills: 1 }, seededRandom(16));
      await killer.once();
      expect(killer.report.faults).toEqual([]);
    },
    300_000,
  );

  it.skipIf(mountPart.missing !== undefined).each([
    ['creation of a database', 2 ** 17],
    ['report', 2 ** 20],
  ])(
    'says that the disk is full, loses nothing, and goes on when there is room: %s',
    async (name, growth) => {
      const report = await fillDisk(fixture, { ...phase(name), growth });
      expect(report.faults).toEqual([]);
      expect(report.full.length).toBeGreaterThan(0);
      expect(report.enough).toBeGreaterThan(0);
    },
    300_000,
  );

  it.skipIf(mountPart.missing !== undefined)(
    'says that runs are gone when there is no room to make the database smaller, which the same command then does',
    async () => {
      const report = await fillDisk(fixture, { ...phase('runs prune'), growth: 2 ** 17 });
      expect(report.faults).toEqual([]);
      expect(report.deleted.length).toBeGreaterThan(0);
      expect(report.shrunk).toBe(true);
    },
    300_000,
  );
});
