import { Command } from 'commander';
import { InputError } from '../../base/errors.js';
import { didYouMean } from '../../base/similar.js';
import { allStages, findStage } from '../../compress/registry.js';
import type { Stage } from '../../compress/stage.js';
import { wrapped } from '../../base/wrap.js';
import { optionsIn, stageReference, type OptionReference } from '../../report/reference.js';
import { explained } from '../help.js';
import { printJson, type StageJson } from '../json.js';
import { registryText } from '../output/lists.js';
import { screenWidth } from '../output/screen.js';

interface StagesFlags {
  readonly markdown?: true;
  readonly json?: true;
}

/** `edgeflex stages`: what recipes can be made of. */
export function stagesCommand(): Command {
  const command = new Command('stages')
    .argument('[stage]', 'one stage')
    .option('--markdown', 'print the reference of all options as Markdown')
    .option('--json', 'print the list as JSON')
    .action((name: string | undefined, flags: StagesFlags) => {
      const stages = name === undefined ? allStages() : [known(name)];
      if (flags.json) printJson('stages', stages.map(described));
      else if (flags.markdown) console.log(stageReference(stages));
      else if (name === undefined) console.log(registryText(stages));
      else for (const stage of stages) console.log(inWords(stage));
    });
  return explained(command, {
    examples: ['edgeflex stages', ['edgeflex stages prune', 'the options of one']],
  });
}

function known(name: string): Stage {
  const stage = findStage(name);
  if (stage !== undefined) return stage;
  const names = allStages().map((each) => each.name);
  throw new InputError({
    source: 'stages',
    found: `the unknown stage "${name}"${didYouMean(name, names)}`,
    expected: names.join(', '),
  });
}

function inWords({ name, description, options }: Stage): string {
  return [...wrapped(`${name}: ${description}`, screenWidth()), ...optionLines(optionsIn(options))].join(
    '\n',
  );
}

/** Options with two lines each, for the terminal. */
export function optionLines(options: readonly OptionReference[]): string[] {
  const width = screenWidth();
  return options.flatMap(({ name, type, fallback, description }) => [
    ...wrapped(
      `  ${name}: ${plain(type)}${fallback === undefined ? '' : `, default ${fallback}`}`,
      width,
      '      ',
    ),
    ...wrapped(`      ${plain(description)}`, width, '      '),
  ]);
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

function described(stage: Stage): StageJson {
  const { name, version, description, origin } = stage;
  return { name, version, description, plugin: origin ?? null, options: optionsIn(stage.options) };
}
