import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { openDevice } from '../device/open.js';
import { readDeviceProfile } from '../device/profile.js';
import { precisionNames } from '../analysis/figures/roofline.js';
import { seconds } from '../text/format.js';
import { rooflineDocument, rooflineTable } from '../text/roofline.js';
import { terminalTable } from '../text/terminal.js';
import { measureRoofline } from '../run/roofline/measure.js';
import { subjectsOf } from '../run/roofline/subjects.js';
import { openForReading, openStore } from '../store/open.js';
import {
  insertRoofline,
  listRooflines,
  type CeilingSubject,
  type StoredRoofline,
} from '../store/rooflines.js';
import { Bar } from './bar.js';
import { exitCodes } from './failure.js';
import { batchSize, roundsFrom } from './flags.js';
import { databaseIn, resultsOption } from './results.js';
import { stopOnSignal } from './stop.js';

interface RooflineFlags {
  readonly batch: number;
  readonly rounds: number;
  readonly results: string;
  readonly list?: true;
  readonly json?: true;
}

/** Order in which subjects are measured: the same one each time, so that two rooflines can be compared. */
const SEED = 1;

/** `edgeflex roofline`: what a device can do at best. */
export function rooflineCommand(): Command {
  return new Command('roofline')
    .description('measure what a device can do at best: matrix products in every precision, and bandwidth')
    .argument('[device]', 'a device profile, such as devices/local-cpu.yaml')
    .option('--batch <n>', 'images in the batch whose products are measured', batchSize, 8)
    .option('--rounds <n>', 'fresh processes of each', roundsFrom(2), 3)
    .addOption(resultsOption())
    .option('--list', 'show what is known of all devices, and measure nothing')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      `
Measured are models of one operator, by the agent, the runtime and the threads that measure variants: the linears of ViT-Tiny,
-Base and -Huge at 224 pixels, and sums of tensors. It takes one to two minutes; measure while nothing else runs. It is stored
for the device as it is now: with another processor, runtime, number of threads or session options it does not hold. Reports then
say which share of it each variant reaches, and what limits it (docs/roofline.md).

Examples:
  edgeflex roofline devices/local-cpu.yaml
  edgeflex roofline devices/local-cpu.yaml --batch 64 --rounds 5
  edgeflex roofline --list`,
    )
    .action(async (path: string | undefined, flags: RooflineFlags) => {
      if (flags.list) return showKnown(flags);
      if (path === undefined)
        throw new InputError({
          source: 'roofline',
          found: 'no device',
          expected: 'a device profile, such as devices/local-cpu.yaml, or --list',
        });
      const roofline = await measured(path, flags);
      show([roofline], flags);
      if (roofline.ceilings.some(({ failure }) => failure?.status === 'failed'))
        process.exitCode = exitCodes.device;
    });
}

async function measured(path: string, { batch, rounds, results }: RooflineFlags): Promise<StoredRoofline> {
  const profile = await readDeviceProfile(path);
  const db = await openStore(databaseIn(results));
  const bar = new Bar(process.stderr);
  const { signal, release } = stopOnSignal(
    () => 'Stopped. A roofline is measured in one go: nothing of it is kept.',
  );
  const started = performance.now();
  try {
    const device = await openDevice(profile);
    try {
      const roofline = await measureRoofline(device, {
        ...{ subjects: subjectsOf(batch, device.environment.memoryBytes), rounds, seed: SEED, signal },
        onProgress: (done, subject) => {
          const elapsed = (performance.now() - started) / 1000;
          const left = done > 0.05 ? `${seconds((elapsed / done) * (1 - done))} left` : '';
          bar.show(done, describe(subject), left);
        },
      });
      await insertRoofline(db, roofline);
      return roofline;
    } finally {
      await device.close();
    }
  } finally {
    bar.end();
    release();
    await db.destroy();
  }
}

function describe(subject: CeilingSubject): string {
  if (subject.kind === 'stream') return `memory, ${subject.bytes / 1024 ** 2} MiB`;
  const { rows, inner, columns } = subject.shape;
  return `${precisionNames[subject.precision]}, ${rows} × ${inner} × ${columns}`;
}

async function showKnown(flags: RooflineFlags): Promise<void> {
  const db = await openForReading(databaseIn(flags.results));
  try {
    show(await listRooflines(db), flags);
  } finally {
    await db.destroy();
  }
}

function show(rooflines: readonly StoredRoofline[], { json }: RooflineFlags): void {
  if (json) console.log(JSON.stringify(rooflines.map(rooflineDocument), null, 2));
  else if (rooflines.length === 0) console.log('No device has a roofline yet.');
  else console.log(terminalTable(rooflineTable(rooflines), process.stdout.isTTY, process.stdout.columns));
}
