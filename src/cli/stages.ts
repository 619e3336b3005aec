import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/similar.js';
import { allStages, findStage } from '../compress/registry.js';
import type { Stage } from '../compress/stage.js';
import { optionsIn, stageReference, type OptionReference } from '../report/reference.js';
import { registryText } from './lists.js';

interface StagesFlags {
  readonly markdown?: true;
  readonly json?: true;
}

/** `edgeflex stages`: what recipes can be made of. */
export function stagesCommand(): Command {
  return new Command('stages')
    .description('list the stages that a recipe can have, or the options of one')
    .argument('[stage]', 'one stage')
    .option('--markdown', 'print the reference of all options as Markdown')
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExamples:\n  edgeflex stages\n  edgeflex stages prune')
    .action((name: string | undefined, flags: StagesFlags) => {
      const stages = name === undefined ? allStages() : [known(name)];
      if (flags.json) console.log(JSON.stringify(stages.map(described), null, 2));
      else if (flags.markdown) console.log(stageReference(stages));
      else if (name === undefined) console.log(registryText(stages));
      else for (const stage of stages) console.log(inWords(stage));
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
  return [`${name}: ${description}`, ...optionLines(optionsIn(options))].join('\n');
}

/** Options with two lines each, for the terminal. */
export function optionLines(options: readonly OptionReference[]): string[] {
  return options.map(
    ({ name, type, fallback, description }) =>
      `  ${name}: ${plain(type)}${fallback === undefined ? '' : `, default ${fallback}`}\n      ${plain(description)}`,
  );
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

function described(stage: Stage): object {
  const { name, version, description, origin } = stage;
  return { name, version, description, plugin: origin ?? null, options: optionsIn(stage.options) };
}
