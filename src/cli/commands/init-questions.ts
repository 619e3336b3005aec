import { cancel, intro, isCancel, select, text } from '@clack/prompts';
import { messageOf } from '../../base/errors.js';
import { listNamed } from '../../base/named.js';
import type { StarterDevice } from '../../init/choices.js';
import { refuseName } from '../../init/files.js';
import { namedModel } from '../../model/source.js';
import { syntheticNames } from '../../vit/synthetic.js';
import { Interrupted } from '../failure.js';

/** What `edgeflex init` must know. */
export interface InitAnswers {
  readonly name: string;
  readonly model: string;
  readonly dataset: string;
  readonly recipe: string;
  readonly device: string;
  /** The board, where the device is one. */
  readonly host: string | undefined;
}

/** What there is to choose from. */
interface Offer {
  readonly devices: readonly StarterDevice[];
  /** What a board over SSH is called. */
  readonly board: string;
  readonly images: readonly string[];
}

/** Stands for what is typed in instead of chosen. */
const OTHER = '';

/**
 * Asks on the terminal for what is not known yet.
 *
 * @param known - what flags have said: it is not asked
 * @param usual - what is proposed
 * @param offer - what there is to choose from
 * @throws Interrupted when the user leaves
 */
export async function ask(
  known: Partial<InitAnswers>,
  usual: InitAnswers,
  { devices, board, images }: Offer,
): Promise<InitAnswers> {
  intro('Create a suite, a recipe and a device profile. Ctrl-C quits without writing anything.');
  const name = known.name ?? (await typed('Name of the suite', usual.name, refuseName));
  const model =
    known.model ??
    (await chosen('Which model do you want to compress?', usual.model, [
      ...listNamed('model').map((each) => ({ value: each.name, hint: 'comes with EdgeFlex' })),
      ...syntheticNames.map((value) => ({ value, hint: 'random weights: speed and memory only' })),
      { value: OTHER, label: 'another: a folder, a file or a Hugging Face Hub id' },
    ])) ??
    (await typed('Folder, file or Hub id (owner/name) of the model', undefined, namedModel));
  const dataset =
    known.dataset ??
    (await chosen('Which images?', usual.dataset, [
      ...images.map((value) => ({ value })),
      { value: OTHER, label: 'your own: a folder of class folders, or a CSV list' },
    ])) ??
    (await typed('Path of the images'));
  const recipe =
    known.recipe ??
    (await chosen(
      'Which recipe do you want to start from?',
      usual.recipe,
      listNamed('recipe').map((each) => ({ value: each.name })),
    )) ??
    usual.recipe;
  const device =
    known.device ??
    (await chosen('Where do you want to measure?', usual.device, [
      ...devices.map(({ name: value, description }) => ({ value, label: description })),
      { value: board, label: 'A board over SSH' },
    ])) ??
    usual.device;
  const host =
    device === board
      ? (known.host ?? (await typed('Host name of the board, or an alias from ~/.ssh/config')))
      : undefined;
  return { name, model, dataset, recipe, device, host };
}

/** @returns undefined when something else is to be typed in */
async function chosen(
  message: string,
  initialValue: string,
  options: readonly { readonly value: string; readonly label?: string; readonly hint?: string }[],
): Promise<string | undefined> {
  const value = left(await select({ message, initialValue, options: [...options], maxItems: 10 }));
  return value === OTHER ? undefined : value;
}

/** @param refuse - throws what is wrong with an answer */
async function typed(
  message: string,
  initialValue?: string,
  refuse: (value: string) => unknown = () => undefined,
): Promise<string> {
  return left(
    await text({
      message,
      ...(initialValue !== undefined && { initialValue }),
      validate: (value) => {
        if (value === undefined || value.trim() === '') return 'Please enter a value.';
        try {
          refuse(value);
          return undefined;
        } catch (error) {
          return messageOf(error);
        }
      },
    }),
  );
}

function left(value: string | symbol): string {
  if (!isCancel(value)) return String(value);
  cancel('Nothing was written.');
  throw new Interrupted('Stopped: nothing was written.', 'SIGINT');
}
