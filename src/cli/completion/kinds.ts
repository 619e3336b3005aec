/** What goes by a name and can be listed when a key is pressed. */
export type NameKind =
  | 'suite'
  | 'recipe'
  | 'device'
  | 'model'
  | 'dataset'
  | 'stage'
  | 'device-kind'
  /** A stored run, by its id or as a baseline. */
  | 'run'
  | 'baseline'
  /** The suite of a stored run. */
  | 'measured-suite';

/** What completes a value. */
export type Completes =
  | { readonly kind: 'choices'; readonly values: readonly string[] }
  /** Names; those of most kinds may be paths, too. */
  | { readonly kind: 'names'; readonly of: NameKind }
  | { readonly kind: 'files' }
  | { readonly kind: 'folders' }
  /** Nothing: a number, a new name. */
  | { readonly kind: 'nothing' };

const names = (of: NameKind): Completes => ({ kind: 'names', of });
const files: Completes = { kind: 'files' };
const folders: Completes = { kind: 'folders' };
const nothing: Completes = { kind: 'nothing' };

/** What stands in place of numbers, quantities and names that are new: none can be listed. */
const unlisted = [
  ...['address', 'age', 'count', 'gates', 'goals', 'host', 'limit', 'n', 'name', 'number', 'pattern'],
  ...[
    'command',
    'difference',
    'formats',
    'link',
    'points',
    'revision',
    'rows',
    'share',
    'size',
    'sizes',
    'sql',
    'sum',
    'text',
    'variant',
  ],
  ...['job', 'requirements', 'time', 'times', 'zone', 'addresses', 'port'],
];

const CHART_FORMATS: Completes = { kind: 'choices', values: ['png', 'pdf', 'png,pdf'] };

/** By what stands in place of a value in the help. */
const byPlaceholder: Readonly<Record<string, Completes>> = {
  suite: names('suite'),
  recipe: names('recipe'),
  profile: names('device'),
  device: names('device'),
  model: names('model'),
  images: names('dataset'),
  stage: names('stage'),
  run: names('run'),
  reference: names('run'),
  file: files,
  'profile...': names('device'),
  path: files,
  directory: folders,
  ...Object.fromEntries(unlisted.map((placeholder) => [placeholder, nothing])),
};

/** Where a placeholder means something else: by the command and the flag, or the placeholder of an argument. */
const byPlace: Readonly<Record<string, Completes>> = {
  'baseline set --suite': names('measured-suite'),
  'baseline list --suite': names('measured-suite'),
  'baseline rm --suite': names('measured-suite'),
  'baseline rm name': names('baseline'),
  'runs prune --suite': names('measured-suite'),
  'history suite': names('measured-suite'),
  'site suites': names('measured-suite'),
  'procure --suite': names('measured-suite'),
  'devices compare --suite': names('measured-suite'),
  'devices compare other': names('device'),
  'devices siblings --suite': names('measured-suite'),
  'devices siblings device': names('device'),
  'devices kinds kind': names('device-kind'),
  'report --charts': CHART_FORMATS,
  'history --charts': CHART_FORMATS,
  'procure --charts': CHART_FORMATS,
  'submit --device': nothing,
  'schedule add --device': nothing,
  'compress --dataset': names('dataset'),
  'calibrate --dataset': names('dataset'),
};

/**
 * What completes a value of a command; undefined for a placeholder that this file does not know yet.
 *
 * @param command - its words: `baseline set`
 * @param place - the flag, or the name of the argument
 * @param placeholder - what the help has in place of a value
 */
export function completes(command: string, place: string, placeholder: string): Completes | undefined {
  return byPlace[`${command} ${place}`] ?? byPlaceholder[placeholder];
}
