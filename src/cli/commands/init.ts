import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { InputError } from '../../base/errors.js';
import { pathOf } from '../../base/named.js';
import { starterBoard, starterDevices, type StarterDevice, type StarterImages } from '../../init/choices.js';
import { refuseName, writeStarter } from '../../init/files.js';
import { checkImages } from '../../library/image-sets.js';
import { namedModel } from '../../model/source.js';
import { partOf } from '../options/flags.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { imageNames, knownImages, namesImages } from '../../run/locate-data.js';
import { watchImages } from '../output/images.js';
import type { InitAnswers } from './init-questions.js';

interface InitFlags {
  readonly model?: string;
  readonly dataset?: string;
  readonly holdout?: number;
  readonly recipe?: string;
  readonly device?: string;
  readonly host?: string;
  readonly yes?: true;
  readonly force?: true;
  readonly json?: true;
}

/** What is taken where nothing is said: all of it comes with EdgeFlex and runs in two minutes. */
const usual: InitAnswers = {
  name: 'my-suite',
  model: 'vit-micro-shapes10',
  dataset: 'shapes10',
  recipe: 'edgeflex',
  device: 'cpu',
  host: undefined,
};

const BOARD = 'ssh';
const deviceNames = [...starterDevices.map(({ name }) => name), BOARD];

/** `edgeflex init`: a suite, a recipe and a device profile to begin with. */
export function initCommand(): Command {
  const command = new Command('init')
    .argument('[name]', `name of the suite; default: ${usual.name}`)
    .option(
      '--model <model>',
      `a folder or file with weights, a Hugging Face Hub id, or a name; default: ${usual.model}`,
    )
    .option(
      '--dataset <images>',
      `a name listed by "edgeflex data list", or a folder of class folders; default: ${usual.dataset}`,
    )
    .option(
      '--holdout <share>',
      'for a folder without a test split: the share of each class to test on',
      partOf,
    )
    .option('--recipe <recipe>', `the recipe to start from, a name or a file; default: ${usual.recipe}`)
    .addOption(
      new Option('--device <kind>', `what to measure on; default: ${usual.device}`).choices(deviceNames),
    )
    .option('--host <host>', 'with --device ssh: the board, as you would pass it to ssh')
    .option('-y, --yes', 'do not ask; use the defaults for everything no flag sets')
    .option('--force', 'overwrite existing files')
    .option('--json', 'print the names of the files as JSON')
    .action(async (name: string | undefined, flags: InitFlags) => {
      if (name !== undefined) refuseName(name);
      const given = { ...flags, name };
      const asks = flags.yes !== true && flags.json !== true && process.stdin.isTTY && process.stdout.isTTY;
      const answers = asks ? await asked(given) : { ...usual, ...known(given) };
      const model = namedModel(answers.model);
      const recipe = pathOf('recipe', answers.recipe);
      const device = deviceOf(answers);
      const images = await imagesOf(answers.dataset, flags.holdout);
      const choices = { name: answers.name, model, images, recipe, device };
      const files = await writeStarter(process.cwd(), choices, flags.force ?? false);
      const next = `edgeflex run ${answers.name}`;
      if (flags.json) printJson('init', { name: answers.name, files, next });
      else
        console.log(
          [
            `${files.suite}: the suite`,
            `${files.recipe}: its recipe`,
            `${files.device}: the device`,
            `\nMeasure it with:\n  ${next}`,
          ].join('\n'),
        );
    });
  return explained(command, {
    notes: [
      'Writes suites/<name>.yaml, recipes/<name>-<recipe>.yaml and devices/<name>-<device>.yaml in the working folder, with comments on every setting. In a terminal it asks for whatever no flag sets.',
    ],
    examples: [
      'edgeflex init',
      'edgeflex init pets --model google/vit-base-patch16-224 --dataset ~/pets --recipe int8 --device cpu',
      ['edgeflex init board --device ssh --host raspberry-pi-5 --yes', 'for a board, without questions'],
    ],
  });
}

type Given = Partial<InitAnswers>;

function known({ name, model, dataset, recipe, device, host }: Given): Given {
  const said = {
    name,
    model,
    dataset,
    recipe,
    device: device ?? (host === undefined ? undefined : BOARD),
    host,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

async function asked(given: Given): Promise<InitAnswers> {
  const { ask } = await import('./init-questions.js');
  return ask(known(given), usual, { devices: starterDevices, board: BOARD, images: imageNames() });
}

/** @throws InputError when a board has no host, or something else has one */
function deviceOf({ device, host }: InitAnswers): StarterDevice {
  if ((device === BOARD) !== (host !== undefined))
    throw new InputError({
      source: '--host',
      found: host === undefined ? 'no host' : `the host ${host} for the device ${device}`,
      expected: host === undefined ? 'the board to reach over SSH' : `--device ${BOARD}`,
    });
  if (host !== undefined) return starterBoard(host);
  const found = starterDevices.find(({ name }) => name === device);
  if (found === undefined)
    throw new InputError({ source: '--device', found: device, expected: deviceNames.join(', ') });
  return found;
}

/** Images that are there and can be used. */
async function imagesOf(reference: string, holdout: number | undefined): Promise<StarterImages> {
  if (namesImages(reference)) {
    if (holdout !== undefined)
      throw new InputError({
        source: '--holdout',
        found: `the images ${reference}, which have a test split`,
        expected: 'a folder of images of your own',
      });
    return { kind: 'named', name: knownImages(reference) };
  }
  const path = resolve(reference);
  await watchImages((signal) => checkImages(path, { holdout, signal }));
  return { kind: 'own', path, holdout };
}
