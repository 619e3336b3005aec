import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/base/random.js';
import { fillDisk, type DiskReport } from './disks.js';
import { Killer, type KillReport } from './kills.js';
import { openFixture, phases, type Fixture } from './phases.js';

/**
 * Kills EdgeFlex at random moments for so many minutes, each phase for an equal share of the time, or lets the disk fill up in each
 * phase once, and says what was lost.
 *
 *   npm run faults -- --minutes 10 --seed 1 --phase migration
 *   npm run faults -- --disks
 */
const { values } = parseArgs({
  options: {
    disks: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    phase: { type: 'string', default: '' },
  },
});

const chosen = phases.filter(({ name }) => name.includes(values.phase));
if (chosen.length === 0) throw new Error(`no phase has "${values.phase}" in its name`);
const folder = mkdtempSync(join(tmpdir(), 'edgeflex-faults-'));
try {
  const fixture = await openFixture(folder);
  const faults = values.disks ? await fillAll(fixture) : await killAll(fixture);
  if (faults > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function killAll(fixture: Fixture): Promise<number> {
  const random = seededRandom(Number(values.seed));
  const killers = chosen.map((phase) => ({ killer: new Killer(fixture, phase, random), spent: 0 }));
  const until = Date.now() + Number(values.minutes) * 60_000;
  for (;;) {
    const [next] = [...killers].sort((one, other) => one.spent - other.spent);
    if (next === undefined || Date.now() >= until) break;
    const began = Date.now();
    const known = next.killer.report.faults.length;
    await next.killer.once();
    next.spent += Date.now() - began;
    for (const fault of next.killer.report.faults.slice(known)) console.error(fault);
  }
  console.table(
    killers.map(({ killer: { phase, report } }) => ({
      phase: phase.name,
      kills: report.kills,
      'ended before': report.ended,
      faults: report.faults.length,
    })),
  );
  const sum = (of: (report: KillReport) => number): number =>
    killers.reduce((total, { killer }) => total + of(killer.report), 0);
  const faults = sum((report) => report.faults.length);
  console.log(`${sum(({ kills }) => kills)} kills, ${faults} faults (seed ${values.seed})`);
  return faults;
}

async function fillAll(fixture: Fixture): Promise<number> {
  const reports: DiskReport[] = [];
  for (const phase of chosen) {
    const report = await fillDisk(fixture, phase);
    for (const fault of report.faults) console.error(fault);
    reports.push(report);
  }
  console.table(
    reports.map(({ phase, full, enough, faults }) => ({
      phase,
      'too small': full.length,
      'enough (KiB)': enough === undefined ? '' : Math.round(enough / 1024),
      faults: faults.length,
    })),
  );
  return reports.reduce((total, { faults }) => total + faults.length, 0);
}
