import { InvalidArgumentError, Option } from 'commander';
import { printFormats, type PrintFormat } from '../../report/charts/print.js';

/** The option that asks for charts in formats beside SVG. */
export function chartsOption(): Option {
  return new Option('--charts <formats>', 'also write the charts as png (at 2×), pdf, or both: png,pdf')
    .argParser(chartFormats)
    .default([], 'none');
}

/** @throws InvalidArgumentError when one of them is not known */
function chartFormats(value: string): readonly PrintFormat[] {
  return value.split(',').map((name) => {
    const known = printFormats.find((each) => each === name.trim());
    if (known !== undefined) return known;
    throw new InvalidArgumentError(`Expected ${printFormats.join(', ')}, or both separated by a comma.`);
  });
}
