import type { RunEstimate } from '../run/estimate.js';
import * as format from '../text/format.js';
import { listText } from './lists.js';

/**
 * What a run would do, for people.
 *
 * @param estimate - of the run
 */
export function estimateText(estimate: RunEstimate): string {
  const { suite, variants, devices, cells, rounds, seconds, mostSeconds, compressSeconds, cacheBytes } =
    estimate;
  const unmade = variants.filter((each) => each.compressSeconds === null).length;
  const unsized = variants.filter(({ fileBytes }) => fileBytes === null).length;
  const known = devices.reduce((sum, each) => sum + each.knownRounds, 0);
  const models = new Set(variants.map(({ model }) => model)).size;
  return [
    `${suite}: ${counted(variants.length, 'variant')} on ${counted(devices.length, 'device')}, ${counted(cells, 'cell')} in ${counted(rounds, 'measurement')}`,
    '',
    listText(
      { variant: 'variant', compress: 'compressed in', size: 'file' },
      variants.map(({ model, recipe, fileBytes, compressSeconds: taken }) => ({
        variant: models > 1 ? `${model} · ${recipe}` : recipe,
        compress: taken === null ? 'unknown' : duration(taken),
        // What compresses makes no model larger.
        size: `${taken === null && fileBytes !== null ? '≤ ' : ''}${format.mebibytes(fileBytes)}`,
      })),
    ),
    '',
    listText(
      { device: 'device', cells: 'cells', rounds: 'measurements', time: 'about' },
      devices.map((each) => ({
        ...{ device: each.name, cells: format.integer(each.cells), rounds: format.integer(each.rounds) },
        time: duration(each.seconds),
      })),
    ),
    '',
    `Measuring:   about ${duration(seconds)}${mostSeconds === null ? '' : `, up to ${duration(mostSeconds)} until speeds are as precise as the suite asks`}`,
    `             ${known === 0 ? 'from the minimum of the tier, since no stored run measured anything similar' : `${format.integer(known)} of ${format.integer(rounds)} measurements estimated from stored runs, the others from the tier's minimum`}`,
    `Compressing: ${compressSeconds === null ? 'unknown, since no stored run has these variants' : `${duration(compressSeconds)} last time${unmade > 0 ? `, plus ${counted(unmade, 'variant')} never compressed before` : ''}`}; cached variants take no time`,
    `Cache:       up to ${format.size(cacheBytes)}${unsized > 0 ? `, without ${counted(unsized, 'variant')} whose model is not on this machine` : ''}`,
    'Nothing was started.',
  ].join('\n');
}

function counted(count: number, what: string): string {
  return `${format.integer(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** A time span: `8.2 s`, `2 min 05 s`, `3 h 20 min`. */
function duration(seconds: number): string {
  if (seconds < 3600) return format.seconds(seconds);
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
