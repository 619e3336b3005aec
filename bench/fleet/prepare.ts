import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/paths.js';

/** Batch sizes that are timed: with accuracy and kernels ten cells for each board of a run. */
const BATCHES = [1, 2, 3, 4, 5, 6, 7, 8];

/** Cells that a run has on each board. */
export const CELLS_PER_JOB = BATCHES.length + 2;

/** Names of simulated boards, in their order. */
export function boardNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `board-${String(index).padStart(4, '0')}`);
}

/** Where the profile of a board lies, within the folder that was prepared. */
export function profileOf(name: string): string {
  return join('devices', `${name}.yaml`);
}

/**
 * Fills a folder with a suite, a profile for each board, and the plug-in that they are of.
 *
 * @param folder - empty
 * @param names - of the boards
 * @param seconds - how long a board takes for each measurement
 */
export async function prepareFleet(folder: string, names: readonly string[], seconds: number): Promise<void> {
  await mkdir(join(folder, 'devices'));
  // Whoever works on the plug-in meanwhile changes nothing.
  const plugin = join(folder, 'simulated.mjs');
  await copyFile(join(packageRoot(), 'bench', 'fleet', 'simulated.mjs'), plugin);
  await writeFile(join(folder, 'edgeflex.config.yaml'), `plugins: [${JSON.stringify(plugin)}]\n`);
  await writeFile(
    join(folder, 'suite.yaml'),
    [
      'name: fleet',
      'data: shapes10',
      'models: [{ name: micro, path: vit-micro-shapes10 }]',
      `devices: [devices/${names[0] ?? ''}.yaml]`,
      'accuracy: { batch: 16, images: 40 }',
      `performance: { batches: [${BATCHES.join(', ')}], tier: smoke, rounds: 1 }`,
      '',
    ].join('\n'),
  );
  for (const name of names)
    await writeFile(
      join(folder, profileOf(name)),
      `name: ${name}\nkind: x-simulated\nthreads: 1\noptions: { seconds: ${seconds} }\n`,
    );
}
