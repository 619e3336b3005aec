import { Command } from 'commander';
import { addImages, checkImages, listImages } from '../../library/image-sets.js';
import { classTable, setTable } from '../../text/data.js';
import { modelNotes } from '../../text/model-notes.js';
import { partOf } from '../options/flags.js';
import { explained } from '../help.js';
import { watchImages } from '../output/images.js';
import { printJson } from '../json.js';
import { listText, tableText } from '../output/lists.js';

interface DeclareFlags {
  readonly train?: string;
  readonly test?: string;
  readonly holdout?: number;
  readonly labels?: string;
  readonly image?: string;
  readonly label?: string;
  readonly exif?: true;
}

interface ShowFlags {
  readonly json?: true;
}

/** What may be said of images of one's own. */
function declaring(command: Command): Command {
  return command
    .option('--train <name>', 'the folder, list, split or file of the training images; default: train')
    .option('--test <name>', 'the folder, list, split or file of the test images; default: test or val')
    .option('--holdout <share>', 'if there is only one split: the share of each class to test on', partOf)
    .option(
      '--labels <file>',
      'a file with the names of the classes, one per line, in the order of their folders',
    )
    .option('--image <name>', 'the column or array that holds the images, if there are several')
    .option('--label <name>', 'the column or array that holds the classes; for CIFAR-100, fine or coarse')
    .option('--exif', "rotate images as their EXIF data says, which torchvision's loader does not do");
}

/** `edgeflex data add`: declares images of a user's own. */
export function addCommand(): Command {
  const command = declaring(
    new Command('add')
      .description(
        'register images of your own and check each of them; suites and --dataset then accept the name',
      )
      .argument('<name>', 'lower-case letters, digits and hyphens')
      .argument(
        '<path>',
        'class folders of JPEG, PNG, WebP or TIFF files; CSV or Parquet; .npz; CIFAR files',
      ),
  )
    .option('--force', 'replace an existing declaration of that name')
    .option('--json', 'print the findings as JSON')
    .action(
      async (name: string, path: string, flags: DeclareFlags & ShowFlags & { readonly force?: true }) => {
        const { json, force = false, ...said } = flags;
        const { data, facts, file } = await watchImages((signal) =>
          addImages(name, path, { ...said, force, signal }),
        );
        if (json) printJson('data add', facts);
        else {
          console.log(tableText(setTable(data)));
          console.log(`${file ?? ''}: the declaration; use it in a suite with "data: ${name}"`);
        }
      },
    );
  return explained(command, {
    notes: [
      'Writes data/<name>.yaml in the working folder. A suite can declare the same under "data:" (docs/images.md).',
    ],
    examples: [
      ['edgeflex data add pets ~/pets', 'has folders train/ and test/ or val/ with a folder for each class'],
      [
        'edgeflex data add flowers ~/flowers --holdout 20%',
        'class folders without splits; a fifth of each class is kept for testing',
      ],
      ['edgeflex data add beans ~/beans', 'Parquet from Hugging Face, with its own splits and class names'],
    ],
  });
}

/** `edgeflex data list`: the images that commands know by a name. */
export function listCommand(): Command {
  const command = new Command('list')
    .description('list the images that can be used by name, yours and the built-in ones')
    .option('--json', 'print the list as JSON')
    .action(async ({ json }: ShowFlags) => {
      const all = await listImages();
      if (json) printJson('data list', all);
      else console.log(listText({ name: 'name', from: 'from', images: 'images' }, all));
    });
  return explained(command, {
    examples: ['edgeflex data list', "edgeflex data list --json | jq -r '.[].name'"],
  });
}

/** `edgeflex data check`: looks at every image. */
export function checkCommand(): Command {
  const command = declaring(
    new Command('check')
      .description(
        'check every image again: whether it can be decoded, and whether any training image is also a test image',
      )
      .argument('<images>', 'a name, or the path of images or of a file that declares them'),
  )
    .option('--data <directory>', 'the folder of the images, for a built-in dataset')
    .option('--model <model>', 'also show which classes of this model match those of the images')
    .option('--json', 'print the findings as JSON')
    .action(
      async (
        images: string,
        flags: DeclareFlags & ShowFlags & { readonly model?: string; readonly data?: string },
      ) => {
        const { json, ...said } = flags;
        const { data, facts, model } = await watchImages((signal) =>
          checkImages(images, { ...said, again: true, signal }),
        );
        if (json) {
          printJson('data check', facts);
          return;
        }
        console.log(tableText(setTable(data)));
        if (model !== undefined) console.log(tableText(classTable(model.classes ?? [], modelNotes(model))));
      },
    );
  return explained(command, {
    examples: [
      'edgeflex data check shapes10',
      'edgeflex data check ~/pets --holdout 20% --model google/vit-base-patch16-224',
    ],
  });
}
