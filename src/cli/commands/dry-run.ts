import type { RunEstimate } from '../../run/estimate.js';
import { UNTIMED_SECONDS } from '../../run/forecast.js';
import * as format from '../../text/format.js';
import { definitions } from '../../base/wrap.js';
import { listText } from '../output/lists.js';
import { screenWidth } from '../output/screen.js';

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
      { device: 'device', cells: 'cells', rounds: 'measurements', time: 'time' },
      devices.map((each) => ({
        ...{ device: each.name, cells: format.integer(each.cells), rounds: format.integer(each.rounds) },
        time: `${each.knownRounds < each.rounds ? '~ ' : ''}${duration(each.seconds)}`,
      })),
    ),
    '',
    ...definitions(
      [
        [
          'Measuring:',
          `${known < rounds ? 'roughly' : 'about'} ${duration(seconds)}${mostSeconds === null ? '' : `, up to ${duration(mostSeconds)} until speeds are as precise as the suite asks`}: ${basisText(known, rounds)}`,
        ],
        [
          'Compressing:',
          `${compressSeconds === null ? 'unknown, since no stored run has these variants' : `${duration(compressSeconds)} last time${unmade > 0 ? `, plus ${counted(unmade, 'variant')} never compressed before` : ''}`}; cached variants take no time`,
        ],
        [
          'Cache:',
          `up to ${format.size(cacheBytes)}${unsized > 0 ? `, without ${counted(unsized, 'variant')} whose model is not on this machine` : ''}`,
        ],
      ],
      screenWidth(),
      '',
    ),
    'Nothing was started.',
  ].join('\n');
}

/** What the time of measuring rests on. */
function basisText(known: number, rounds: number): string {
  if (known === rounds) return 'as long as similar measurements of stored runs took';
  const guess = `guessed from the tier's minimum and ${format.seconds(UNTIMED_SECONDS)} to score the test images (large models need minutes)`;
  return known === 0
    ? `${guess}; no stored run measured anything similar`
    : `${format.integer(known)} of ${format.integer(rounds)} measurements estimated from stored runs; the others ${guess}`;
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
