import { coverageCases, simulate } from '../test/support/coverage.js';

const REPEATS = 2000;

/**
 * How often the 95 % intervals cover the truth and how often the tests raise an alarm although nothing differs, in simulated
 * worlds of which the truth is known; a table in Markdown.
 */
export function coverage(): Promise<void> {
  const percent = (share: number | undefined): string => {
    if (share === undefined) return '';
    const error = Math.sqrt((share * (1 - share)) / REPEATS);
    return `${(100 * share).toFixed(1)} ± ${(100 * error).toFixed(1)}`;
  };
  console.log('\n| estimator | world | size | covered, % | mean width | alarms, % | claimed |');
  console.log('| --- | --- | --- | --: | --: | --: | --- |');
  coverageCases.forEach((each) => {
    const { coverage, width, alarms } = simulate(each, REPEATS, each.seed);
    const claims = [
      coverage !== undefined && { exact: '93 … 97', careful: '≥ 93', none: 'nothing' }[each.claim],
      alarms !== undefined && (each.claim === 'none' ? 'nothing' : `≤ ${100 * each.alpha} alarms`),
    ];
    const cells = [
      each.estimator,
      each.distribution,
      each.size,
      percent(coverage),
      width?.toPrecision(2) ?? '',
      percent(alarms),
      [...new Set(claims.filter(Boolean))].join(', '),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  });
  return Promise.resolve();
}
